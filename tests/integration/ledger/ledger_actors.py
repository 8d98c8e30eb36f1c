"""The actors of the property test. Each keeps to its protocol, but acts at any time, late or twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from renderline.ledger import DuePoll, HookClaim, Ledger, PollResult, Submission

DRAFT, EXPORT = "draft", "export"


@dataclass
class Permits:
    """Counts the calls that cost: who may make one, and whether an earlier one may have been made.

    A render's paid call is open from the moment it was permitted until it is certain that it started nothing: its
    holder released it, or somebody (an operator, two polls) said so.
    """

    open: dict[str, Worker] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)

    def give(self, worker: Worker) -> None:
        """Record a permit; fails if a paid call of the same render is open."""
        one = worker.claim.id
        assert self.open.get(one) in (None, worker), f"{one} may be paid for twice"
        if one not in self.open:
            self.open[one] = worker
            self.lives[one] = self.lives.get(one, 0) + 1

    def close(self, one: str) -> None:
        """Record that nothing was started."""
        self.open.pop(one, None)


@dataclass
class Worker:
    """A worker with a claim on a submission. `step` is what it does next; the last call can arrive a second time."""

    claim: Submission
    permits: Permits
    lease: float
    step: str = ""
    last: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        if self.claim.intent == EXPORT:
            self.step = "started unseen"
        else:
            self.step = EXPORT if self.claim.stage == EXPORT else DRAFT

    @property
    def ended(self) -> bool:
        return self.step == "ended"

    def go_on(self, ledger: Ledger, *, fate: str) -> Any:
        """Do the next thing; `fate` says how a vendor call goes: well, unseen, refused or not made."""
        claim = self.claim
        if self.step == "started unseen":
            return self._end(lambda: ledger.start(claim, confirmed=False, project_id=claim.project_id, poll_in=2.0))
        if self.step in (DRAFT, EXPORT):
            return self._intend(ledger)
        if fate == "refused":
            refusal = {"code": "1", "message": "no", "origin": "vendor"}
            return self._end(lambda: ledger.fail(claim.id, fence=claim.fence, **refusal))
        if fate == "not made" or (fate == "unseen" and self.step == "drafting"):
            return self._release(ledger, keep=fate == "unseen")
        if self.step == "drafting":
            return self._drafted(ledger)
        return self._end(lambda: ledger.start(claim, confirmed=fate == "well", project_id=None, poll_in=2.0))

    def _intend(self, ledger: Ledger) -> bool:
        stage = self.step

        def call() -> bool:
            given = ledger.record_intent(self.claim, stage, lease=self.lease)
            if given and stage == EXPORT:
                self.permits.give(self)
            return given

        given = self._call(call)
        self.step = {DRAFT: "drafting", EXPORT: "exporting"}[stage] if given else "ended"
        return given

    def _drafted(self, ledger: Ledger) -> bool:
        project = f"p-{self.claim.id}-{self.claim.fence}"
        kept = self._call(lambda: ledger.advance(self.claim, stage=EXPORT, project_id=project))
        self.step = EXPORT if kept else "ended"
        return bool(kept)

    def _release(self, ledger: Ledger, *, keep: bool) -> bool:
        def call() -> bool:
            released = ledger.release(self.claim, retry_in=5.0, note="later", keep_intent=keep)
            if released:
                left = ledger.redis.hget(f"{ledger.prefix}render:{self.claim.id}", "intent")
                assert left == (DRAFT if keep else None), "the next holder would not know what to look for"
            if released and self.permits.open.get(self.claim.id) is self:
                self.permits.close(self.claim.id)
            return released

        return bool(self._end(call))

    def _call(self, call: Callable[[], Any]) -> Any:
        self.last = call
        return call()

    def _end(self, call: Callable[[], Any]) -> Any:
        self.step = "ended"
        return self._call(call)


@dataclass(frozen=True)
class Watcher:
    """Polls the vendor about a render; `life` is the paid call whose outcome it looks for."""

    due_poll: DuePoll
    life: int

    def finding(self, status: str, *, now: float, settle: float) -> PollResult | None:
        """Return what it may report of such a poll, None for what it cannot see."""
        due_poll = self.due_poll
        seen: dict[str, dict[str, Any]] = {
            "wait": {"poll_in": 5.0, "progress": 50.0},
            "error": {"poll_in": 5.0, "message": "away"},
            "failed": {"code": "1", "message": "no"},
            "expired": {"code": "deadline", "message": "late", "origin": "renderline"},
        }
        if due_poll.state == "rendering":
            seen["done"] = {"progress": 100.0, "url": "https://v/1.mp4"}
        else:
            seen["started"] = {"poll_in": 2.0, "project_id": due_poll.project_id}
            seen["untouched"] = {"poll_in": settle}
            if due_poll.untouched_at is not None and now - due_poll.untouched_at >= settle:
                seen["resubmit"] = {}
        if status == "expired" and now < due_poll.deadline_at:
            return None
        return PollResult(due_poll.id, due_poll.epoch, status, **seen[status]) if status in seen else None


@dataclass
class Messenger:
    """Who tries a hook; `turn` says which turn of the hook it is about (a retry or a replay makes a new one)."""

    id: str
    index: int
    claim: HookClaim
    turn: int
    renewing: bool = True
