"""A ledger with a clock that the test controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis

from harness.clock import Clock
from renderline.ledger import AccountLimits, Commands, DuePoll, Entry, Ledger, PollResult, PumpWake, Submission
from renderline.ledger.script import SETTLED_HOOKS
from renderline.observer import NOBODY, Observer
from renderline.tenants import DEFAULT

GRACE = 30.0
LEASE = 20.0


def accept_render(ledger: Ledger, render_id: str, **changes: Any) -> None:
    """Accept a small render; `changes` replace fields of its `Entry`."""
    fields: dict[str, Any] = {
        "kind": "project",
        "account": "main",
        "priority": "normal",
        "deadline": 600.0,
        "meta": {"name": f"Render {render_id}", "hooks": [], "metadata": {}},
        "body": "{}",
        "fingerprint": "f",
    }
    assert ledger.accept(Entry(render_id, **{**fields, **changes})).status == "new"


def due_poll(now: float) -> DuePoll:
    """Return the fourth poll of a render that has rendered for 20 s."""
    return DuePoll(
        id="r1",
        epoch=4,
        kind="project",
        state="rendering",
        project_id="p1",
        polls=3,
        progress=10.0,
        progress_at=now - 10,
        since=now - 20,
        deadline_at=now + 1000,
        faults=0,
        untouched=0,
        untouched_at=None,
        baseline=None,
        intent_at=now - 21,
    )


class LedgerDriver:
    """A ledger with its clock, and shortcuts that bring a render into a state."""

    def __init__(self, redis: Redis, *, observer: Observer = NOBODY) -> None:
        self.redis, self.clock = redis, Clock()
        self.ledger = Ledger(redis, grace=GRACE, clock=self.clock, observer=observer)
        self.operations, self.limits = Commands(self.ledger), AccountLimits(self.ledger)

    def accept(
        self,
        one: str = "r1",
        *,
        hooks: int | tuple[str, ...] = 0,
        account: str = "main",
        priority: str = "normal",
        deadline: float = 600.0,
        fingerprint: str = "f1",
        tenant: str = DEFAULT,
    ) -> bool:
        kinds = hooks if isinstance(hooks, tuple) else ("http",) * hooks
        entry = self.entry(one, kinds, account, priority, deadline, fingerprint, tenant)
        return self.ledger.accept(entry).status == "new"

    @staticmethod
    def entry(
        one: str,
        hooks: tuple[str, ...] = (),
        account: str = "main",
        priority: str = "normal",
        deadline: float = 600.0,
        fingerprint: str = "f1",
        tenant: str = DEFAULT,
    ) -> Entry:
        meta = {"name": f"Render {one}", "hooks": [{"type": kind} for kind in hooks], "metadata": {"order": one}}
        return Entry(one, "project", account, priority, deadline, meta, '{"scenes":[]}', fingerprint, tenant)

    def claim(self, one: str = "r1") -> Submission:
        claim = self.ledger.claim_submission(one, lease=LEASE)
        assert isinstance(claim, Submission)
        return claim

    def start(self, one: str = "r1", *, confirmed: bool = True, poll_in: float = 2.0) -> PumpWake | None:
        claim = self.claim(one)
        assert self.ledger.record_intent(claim, "draft", lease=LEASE)
        assert self.ledger.advance(claim, stage="export", project_id=f"p-{one}")
        assert self.ledger.record_intent(claim, "export", lease=LEASE)
        recorded, wake = self.ledger.start(claim, confirmed=confirmed, project_id=f"p-{one}", poll_in=poll_in)
        assert recorded
        return wake

    def start_all(self, *names: str) -> PumpWake:
        """Start renders, new or accepted ones, all due at the same time; returns the one pump that polls them."""
        wakes = [self.start(one) for one in names if self.accept(one) or self.state(one) == "accepted"]
        (wake,) = [wake for wake in wakes if wake]
        return wake

    def claim_due_polls(self, wake: PumpWake, *, limit: int = 64) -> Sequence[DuePoll]:
        """Wait for the wake's delay and claim the due renders."""
        self.clock.forward(wake.delay)
        batch = self.ledger.claim_due_polls(wake.account, slot=wake.slot, ticket=wake.ticket, limit=limit, lease=LEASE)
        assert batch is not None
        return batch.polls

    def claim_again(self, seconds: float = 2 * GRACE) -> Sequence[DuePoll]:
        """Wait until the pumps count as dead, and let the sweep start one."""
        self.clock.forward(seconds)
        return self.claim_due_polls(self.ledger.restart_pumps()[0])

    def record_result(self, due_poll: DuePoll, status: str, **details: Any) -> list[tuple[str, str]]:
        return self.ledger.record_poll_results([PollResult(due_poll.id, due_poll.epoch, status, **details)])

    def complete(self, one: str = "r1", *, hooks: int | tuple[str, ...] = 1, tenant: str = "default") -> None:
        self.accept(one, hooks=hooks, tenant=tenant)
        self.finish(one)

    def finish(self, one: str = "r1") -> None:
        """Bring an accepted render to its video."""
        wake = self.start(one)
        assert wake
        (due_poll,) = self.claim_due_polls(wake)
        assert self.record_result(due_poll, "done", url="https://v/1.mp4")

    def state(self, one: str = "r1") -> str:
        record = self.ledger.record(one)
        assert record
        return str(record["state"])

    def record(self, one: str = "r1") -> dict[str, Any]:
        record = self.ledger.record(one)
        assert record
        return record

    def score_in(self, name: str, one: str = "r1") -> float | None:
        """Return the score of a render in one of the ledger's sorted sets, None if absent."""
        score = self.redis.zscore(f"{self.ledger.prefix}{name}", one)
        return None if score is None else float(score)

    def check_indexes(self, one: str = "r1") -> None:
        """Assert that the indexes agree with the record, so that a worker will find the render again."""
        state = self.state(one)
        prefix = f"{self.ledger.prefix}state:"
        indexed = [key for key in self.redis.scan_iter(f"{prefix}*") if self.redis.zscore(key, one) is not None]
        assert indexed == [f"{prefix}{state}"]
        account = self.record(one)["account"]
        followed = {name for name in (f"due:{account}", "deadline") if self.score_in(name, one) is not None}
        woken = self.score_in("resend", one) is not None
        if state in ("rendering", "unconfirmed"):
            assert followed == {f"due:{account}", "deadline"}
        else:
            assert not followed
            owed = state not in ("accepted", "submitting") and owed_hooks(self.ledger, one)
            if self.record(one)["held"]:
                assert not woken
            elif state in ("accepted", "submitting", "completed") or (owed and state != "canceled"):
                assert woken, f"{state}, and nothing will ever wake it"
        if state in ("accepted", "completed", "delivered", "undelivered", "failed", "expired", "canceled"):
            assert not self.redis.sismember(f"{self.ledger.prefix}slots:{account}", one)


def owed_hooks(ledger: Ledger, one: str) -> list[int]:
    """Return the indexes of a render's unfinished hooks."""
    record = ledger.record(one)
    assert record
    return [index for index, hook in enumerate(record["hooks"]) if hook["state"] not in SETTLED_HOOKS]
