"""What the ledger hands out: claims with a fence or an epoch, due polls, and pump wakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from renderline.ledger.labels import log_labels
from renderline.tenants import DEFAULT


class PumpWake(NamedTuple):
    """A `poll` message to publish: run the pump `slot` of `account` in `delay` seconds."""

    account: str
    slot: int
    ticket: int
    delay: float


@dataclass(frozen=True)
class Submission:
    """The sole right, until the lease ends, to make the vendor calls that start a render."""

    id: str
    fence: str
    kind: str
    account: str
    attempt: int
    """The attempt: 1, and one more for every retry."""
    draft: int
    """The draft of this attempt: 1, and one more for every revoked draft."""
    attempts: int
    failures: int
    """Failures of this attempt that the vendor's answers blame on the render itself."""
    deadline: float
    """Seconds within which the render must be done."""
    stage: str
    """Name of the next stage of the kind's plan; empty: the first."""
    intent: str | None
    """The stage that an earlier claim announced, if the outcome of its call was never recorded."""
    announced: bool
    """Whether this claim announced the call of the plan's first stage."""
    project_id: str | None
    baseline: str | None
    name: str
    body: str
    """The stored render request (JSON)."""
    tenant: str = DEFAULT
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the stages so far recorded for later ones."""
    intent_at: float | None = None
    """When the newest call was announced (epoch seconds); after a restore, what the lost call came after."""
    late: bool = False
    """Whether the deadline that its earlier stages began has passed."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """The producer's own data."""
    request_id: str | None = None
    """The id of the request with which it was accepted."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Its labels, as log lines show them."""

    @property
    def log_labels(self) -> dict[str, Any]:
        """What every log line about it says."""
        return log_labels(self.tenant, self.request_id, self.labels)


@dataclass(frozen=True)
class DuePoll:
    """One render whose poll is due. Times are epoch seconds."""

    id: str
    epoch: int
    kind: str
    state: str
    project_id: str | None
    polls: int
    progress: float
    progress_at: float
    since: float
    deadline_at: float
    faults: int
    untouched: int
    untouched_at: float | None
    baseline: str | None
    intent_at: float
    attempt: int = 1
    draft: int = 1
    revoking: bool = False
    """Whether its draft is being deleted, so that a new one can be made."""
    reported_url: str | None = None
    """The download URL that a webhook reported. It is used only if there is no project to poll."""
    webhook_done: bool = False
    """Whether a webhook reported the end."""
    rate: float | None = None
    stalls: int = 0
    webhooks_alive: bool = False
    """Whether the vendor's webhooks for its account arrive."""
    tenant: str = DEFAULT
    stage: str = ""
    """The paid stage that is followed."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the stages so far recorded."""
    draft_only: bool = False
    """Whether it ends with a draft, which is never exported."""
    request_id: str | None = None
    """The id of the request with which it was accepted."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Its labels, as log lines show them."""

    resubmit_at: float | None = None
    """When it may be submitted again without evidence, if its ledger was restored since its paid call."""

    @property
    def log_labels(self) -> dict[str, Any]:
        """What every log line about it says."""
        return log_labels(self.tenant, self.request_id, self.labels)


@dataclass(frozen=True)
class Batch:
    """The due renders that one run of a pump claimed. `now` is the ledger's clock, `more` another pump to start."""

    now: float
    polls: list[DuePoll]
    more: PumpWake | None


@dataclass(frozen=True)
class PollResult:
    """The result of a poll, to be recorded under its epoch.

    `status` is one of wait, error, dropped (no call was made), done, next (`stage` comes now), started, untouched,
    resubmit, revoked (its draft is gone), failed, expired.
    """

    id: str
    epoch: int
    status: str
    poll_in: float = 0.0
    progress: float | None = None
    url: str | None = None
    project_id: str | None = None
    credit: float | None = None
    rate: float | None = None
    stalls: int | None = None
    code: str = ""
    message: str = ""
    origin: str = "vendor"
    stage: str | None = None
    outputs: Sequence[Mapping[str, Any]] | None = None
    """The files that the vendor makes for this render, where it makes several."""

    def as_json(self) -> dict[str, Any]:
        """Return the fields that the recording script reads, without the unset ones."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class HookClaim:
    """The sole right, until the lease ends, to deliver one hook. `status`: yours, done, early, busy, over.

    `record` is the public record, `hook` the request's hook object; both None unless it is yours.
    """

    status: str
    fence: str
    seconds: float
    record: dict[str, Any] | None = None
    hook: dict[str, Any] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    """The labels of the render, as log lines show them."""
    probe: bool = False
    """Whether this delivery probes a host with an open circuit."""
    following: tuple[tuple[str, int], ...] = ()
    """Hooks (render id, index) to send now, since their turn has come."""
