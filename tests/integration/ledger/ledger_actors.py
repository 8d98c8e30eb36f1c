"""The actors of the property test. Each keeps to its protocol, but acts at any time, late or twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from renderline.ledger import DuePoll, HookClaim, Ledger, PollResult, Submission
from tests.integration.ledger.ledger_choices import PLANS

DRAFT, EXPORT = "draft", "export"
GENERATE, BASELINE, CREATE = "generate", "baseline", "create"
PAID = frozenset({GENERATE, EXPORT, CREATE})
CALLING = {DRAFT: "drafting", EXPORT: "exporting", GENERATE: "generating", BASELINE: "reading", CREATE: "creating"}
"""What a worker does once the call of a stage is announced."""
DATA = {"job": "j1"}


@dataclass
class Permits:
    """Counts the calls that cost: who may make one, and whether an earlier one may have been made.

    A render's paid call is open from the moment it was permitted until it is certain that it started nothing: its
    holder released it, or somebody (an operator, two polls) said so.
    """

    open: dict[str, Worker] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    """The renders whose first paid stage is finished: it is never called again, not in a retry either."""

    def give(self, worker: Worker) -> None:
        """Record a permit; fails if a paid call of the same render is open."""
        one = worker.claim.id
        assert self.open.get(one) in (None, worker), f"{one} may be paid for twice"
        assert worker.stage != GENERATE or one not in self.finished, f"{one} generates again what it has"
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
    stage: str = ""
    following: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        claim = self.claim
        plan = PLANS.get(claim.id, (DRAFT, EXPORT))
        self.stage = claim.intent if claim.intent in PAID else claim.stage or plan[0]
        assert self.stage in plan
        self.following = plan[plan.index(self.stage) + 1 :][:1]
        self.step = "started unseen" if claim.intent in PAID else "too late" if claim.late else self.stage
        if self.stage in (BASELINE, EXPORT) and BASELINE in plan:
            assert claim.project_id, "a later stage lacks what the first made"
            assert claim.data in (DATA, {}), "data that no stage recorded"

    @property
    def ended(self) -> bool:
        return self.step == "ended"

    def go_on(self, ledger: Ledger, *, fate: str) -> Any:
        """Do the next thing; `fate` says how a vendor call goes: well, unseen, refused or not made."""
        claim = self.claim
        if self.step == "started unseen":
            return self._start(ledger, confirmed=False)
        if self.step == self.stage:
            return self._intend(ledger)
        if fate == "refused" or self.step == "too late":
            refusal = {"code": "1", "message": "no", "origin": "vendor"}
            return self._end(lambda: ledger.fail(claim.id, fence=claim.fence, **refusal))
        if fate == "not made" or (fate == "unseen" and self.stage not in PAID):
            return self._release(ledger, keep=fate == "unseen")
        if self.stage not in PAID:
            return self._advance(ledger)
        if self.stage == CREATE and fate == "well":
            return self._end(lambda: ledger.complete(claim, stage=CREATE, url="https://v/1.mp3"))
        return self._start(ledger, confirmed=fate == "well")

    def _start(self, ledger: Ledger, *, confirmed: bool) -> Any:
        claim = self.claim
        made: dict[str, Any] = {"project_id": claim.project_id}
        if self.stage == GENERATE and confirmed:
            made = {"project_id": f"p-{claim.id}", "data": DATA, "shown": (0.0, 50.0)}
        elif self.stage == EXPORT and claim.id not in PLANS and self.step != "started unseen":
            made = {"project_id": None}
        return self._end(lambda: ledger.start(claim, confirmed=confirmed, poll_in=2.0, stage=self.stage, **made))

    def _intend(self, ledger: Ledger) -> bool:
        def call() -> bool:
            given = ledger.record_intent(self.claim, self.stage, lease=self.lease)
            if given and self.stage in PAID:
                self.permits.give(self)
            return given

        given = self._call(call)
        self.step = CALLING[self.stage] if given else "ended"
        return given

    def _advance(self, ledger: Ledger) -> bool:
        (following,) = self.following
        project = f"p-{self.claim.id}-{self.claim.fence}" if self.stage == DRAFT else None
        kept = self._call(lambda: ledger.advance(self.claim, stage=following, project_id=project))
        self.stage, self.following = following, ()
        self.step = following if kept else "ended"
        return bool(kept)

    def _release(self, ledger: Ledger, *, keep: bool) -> bool:
        stage = self.stage

        def call() -> bool:
            released = ledger.release(self.claim, retry_in=5.0, note="later", keep_intent=keep)
            if released:
                left = ledger.redis.hget(f"{ledger.prefix}render:{self.claim.id}", "intent")
                assert left == (stage if keep else None), "the next holder would not know what to look for"
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
        if due_poll.state == "rendering" and due_poll.stage == GENERATE:
            seen["next"] = {"progress": 100.0, "stage": BASELINE}
        elif due_poll.state == "rendering":
            seen["done"] = {"progress": 100.0, "url": "https://v/1.mp4"}
        else:
            seen["started"] = {"poll_in": 2.0, "project_id": due_poll.project_id or f"p-{due_poll.id}"}
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
