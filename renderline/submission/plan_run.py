"""One run through a render's call plan: the claim, the clients, and its progress."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.accounts.clients import AccountClients
from renderline.http import boottime
from renderline.kinds import CallContext, Kind, Stage
from renderline.ledger import Submission

_SEND_WITHIN = 0.75
"""Share of the lease within which an announced call must be sent. Later another worker may have taken over."""


@dataclass
class PlanRun:
    """The state of one run; it changes with each stage."""

    claim: Submission
    kind: Kind
    clients: AccountClients
    context: CallContext
    announced_at: float
    """A moment before the newest announcement. `send_until` counts from here."""
    stage: Stage | None = None
    unaccounted: bool = False
    """Whether the outcome of an announced call is unknown."""

    def announce(self) -> None:
        """Note that a call is being announced."""
        self.announced_at = boottime()

    def send_until(self, lease: float) -> float:
        """Return the latest moment at which the announced call may be sent."""
        return self.announced_at + lease * _SEND_WITHIN
