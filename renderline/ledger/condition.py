"""What a render waits for, beside its record: values, which `Conditions` reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class SlotHolder(NamedTuple):
    """A render that has one of an account's slots."""

    id: str
    since: float


@dataclass(frozen=True)
class AccountCondition:
    """What holds an account's work back. Times are epoch seconds; None: nothing of that kind does."""

    known: bool = True
    """Whether a live worker has its credentials."""
    paused: bool = False
    backoff_until: float | None = None
    """The vendor asked to wait until then (429)."""
    circuit_since: float | None = None
    """The vendor has not answered since then."""
    refusal: str | None = None
    """Why the vendor refuses to render for it."""
    refused_since: float | None = None
    attempt_at: float | None = None
    """When one submission tries whether it still refuses."""
    slots: int | None = None
    """How many renders it may have at the vendor at once."""
    taken: int = 0
    slowed: bool = False
    """Whether a 429 still limits its rate."""


@dataclass(frozen=True)
class HookCondition:
    """What one unfinished hook waits for. Times are epoch seconds."""

    until: float | None = None
    """When its next attempt is due, or the claim of the running one ends."""
    host: str = ""
    """The host for which it waits; `*`: for its turn; empty: it does not wait."""
    circuit_since: float | None = None
    """Since when that host has not answered."""
    since: float | None = None
    """Since when it is owed, if it was replayed."""
    known: bool = True
    """Whether a live worker has its type."""
    calls: str | None = None
    """Scheme and host of the URL that it calls, if it fails. The rest of a URL may be secret."""
    asked: Mapping[str, Any] = field(default_factory=dict)
    """If it fails: how long its request asks for retries, as `retry_for` and `attempts`."""


@dataclass(frozen=True)
class Condition:
    """What a render waits for, beside its record. Times are epoch seconds."""

    at: float = 0.0
    """When it was read, by the clock of the Redis server."""
    workers: bool = True
    """Whether any worker is alive."""
    account: AccountCondition = AccountCondition()
    ahead: int | None = None
    """Renders of its tenant that wait before it; None: it does not wait in the ledger."""
    queued_at: float | None = None
    """When its submission was put into the queue, where it still is."""
    claimed_until: float | None = None
    """A worker makes its calls, and has the claim until then."""
    resend_at: float | None = None
    """When the sweep sends its message again, if nothing happens before."""
    holder: SlotHolder | None = None
    """The oldest render of the same tenant that has a slot of its account."""
    next_poll: float | None = None
    intent_at: float | None = None
    """When its latest vendor call was announced."""
    revoking: bool = False
    """Whether its draft is being deleted, so that another can be made."""
    done_at: float | None = None
    """When its progress so far predicts its end."""
    typical: float | None = None
    """Seconds that renders of this kind (or this stage of them) usually take."""
    ended_by: str = ""
    """Who canceled it."""
    hooks: tuple[HookCondition, ...] = ()
