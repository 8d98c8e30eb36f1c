"""One run through a render's call plan: the claim, the clients, and its progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from renderline.accounts.clients import AccountClients
from renderline.accounts.permit import Permit, using
from renderline.http import boottime, sent_by
from renderline.kinds import CallContext, Kind, Stage
from renderline.ledger import Submission
from renderline.studio import patient

_SEND_WITHIN = 0.75
"""Share of the lease within which an announced call must be sent. Later another worker may have taken over."""
ANSWERED_WITHIN = 0.8
"""Share of the lease that a slow call may take; that of other calls is part of their clients."""


@dataclass(frozen=True)
class Leases:
    """How long the claim on a submission lasts, in seconds, for a usual call and for a slow one."""

    usual: float
    slow: float

    def of(self, stage: Stage) -> float:
        """Return the lease for the call of a stage."""
        return self.slow if stage.slow else self.usual


@dataclass
class PlanRun:
    """The state of one run; it changes with each stage."""

    claim: Submission
    kind: Kind
    clients: AccountClients
    context: CallContext
    announced_at: float
    """A moment before the newest announcement. What its lease allows counts from here."""
    stage: Stage | None = None
    unaccounted: bool = False
    """Whether the outcome of an announced call is unknown."""

    def announce(self) -> None:
        """Note that a call is being announced."""
        self.announced_at = boottime()

    def send_until(self, lease: float) -> float:
        """Return the latest moment at which the announced call may be sent."""
        return self.announced_at + lease * _SEND_WITHIN

    @contextmanager
    def calling(self, stage: Stage, permit: Permit, leases: Leases) -> Iterator[None]:
        """Inside it, the announced call of a stage is made: with its permit, and within its lease."""
        lease = leases.of(stage)
        # A worker that was stopped for longer than the lease must not send: another worker has taken over.
        with using(permit), sent_by(self.send_until(lease)), patient(lease * ANSWERED_WITHIN if stage.slow else 0.0):
            yield
