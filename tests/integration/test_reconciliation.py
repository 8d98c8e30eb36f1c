"""A ledger that was restored from a snapshot: nothing is paid twice, and what the vendor knows is found again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from redis import ConnectionPool, Redis

from harness.clock import Clock
from harness.ledger import GRACE, accept_render
from harness.local_worker import LocalWorker
from harness.samples import example
from renderline.ledger import Commands, Doubt, Ledger, LedgerInDoubt
from renderline.reconciliation.gap_check import GapCheck
from renderline.reconciliation.reconciler import NotInDoubt, Reconciler
from renderline.studio import StudioFault
from renderline.submission.outcome import NotMyTurn
from renderline.tenants import COMMAND_LINE

ONE, TWO = ("1" * 32, "2" * 32)


@dataclass
class Snapshot:
    """All keys of a database in which nobody writes."""

    redis: Redis
    kept: dict[str, tuple[bytes, int]]

    @classmethod
    def take(cls, redis: Redis) -> Snapshot:
        options = {**redis.connection_pool.connection_kwargs, "decode_responses": False}
        raw = Redis(connection_pool=ConnectionPool(**options))
        names = raw.keys("*")
        return cls(raw, {name: (raw.dump(name), max(0, raw.pttl(name))) for name in names})

    def restore(self) -> None:
        self.redis.flushall()
        for name, (value, ttl) in self.kept.items():
            self.redis.restore(name, ttl, value)


@pytest.fixture
def snapshot(redis: Redis) -> Callable[[], Snapshot]:
    return lambda: Snapshot.take(redis)


@pytest.fixture
def worker(new_local_worker: Callable[..., LocalWorker]) -> LocalWorker:
    return new_local_worker(window=0.3)


def accept(worker: LocalWorker, *ids: str) -> None:
    for one in ids:
        worker.accept({**example("compact-landscape.json"), "hooks": []}, one)


def reconciler(worker: LocalWorker, **changes: Any) -> Reconciler:
    given = {"retention": 3600.0, "keeps_projects": True, "patience": 0.0}
    return Reconciler(worker.ledger, worker.dispatcher, worker.accounts, **{**given, **changes})


def settle(worker: LocalWorker, **changes: Any) -> dict[str, str]:
    """Settle all differences and end the doubt; returns the proposals by render."""
    one = reconciler(worker, **changes)
    found = one.find().differences
    assert not one.settle(found, actor=COMMAND_LINE).refused
    left = one.find()
    assert not left.differences
    assert not left.unread
    one.end(actor=COMMAND_LINE)
    return {difference.render_id: difference.proposal for difference in found}


def test_what_was_submitted_since_is_found_and_paid_once(worker, snapshot):
    accept(worker, ONE, TWO)
    before = snapshot()
    worker.poll_until(ONE, "delivered")
    before.restore()
    Doubt(worker.ledger).begin("test")
    assert settle(worker) == {ONE: "adopt", TWO: "resubmit"}
    for one in (ONE, TWO):
        assert worker.poll_until(one, "delivered")["download_url"]
    assert worker.exports() == 2


def test_in_doubt_nothing_is_given_out(worker, snapshot):
    accept(worker, ONE, TWO)
    worker.submit(ONE)
    assert Doubt(worker.ledger).begin("test")
    assert worker.submit(TWO) == NotMyTurn()
    assert worker.record(TWO)["state"] == "accepted"
    assert worker.limits.unpark() == []
    with pytest.raises(LedgerInDoubt):
        worker.ledger.sweep_turn("me", seconds=5.0, every=0.001)
    batch = worker.ledger.claim_due_polls("main", slot=0, ticket=1, limit=5, lease=5.0)
    assert batch is None or batch.polls == []
    assert worker.ledger.claim_orphan_drafts("main", limit=5, lease=5.0) == []
    assert worker.exports() == 1


def test_a_call_that_is_not_announced_yet_is_not_made(worker):
    accept(worker, ONE)
    claim = worker.claim(ONE)
    Doubt(worker.ledger).begin("test")
    assert not worker.ledger.record_intent(claim, "draft", lease=5.0)
    assert not worker.ledger.advance(claim, stage="export", project_id="p1", lease=5.0)


def test_a_render_that_is_unknown_is_adopted_when_its_key_comes_again(worker, snapshot):
    before = snapshot()
    accept(worker, ONE)
    worker.poll_until(ONE, "delivered")
    before.restore()
    Doubt(worker.ledger).begin("test")
    assert settle(worker) == {ONE: "remember"}
    accept(worker, ONE)
    assert worker.poll_until(ONE, "delivered")["download_url"]
    assert worker.exports() == 1


def test_a_draft_that_was_not_exported_is_revoked_before_another_one(worker, snapshot):
    accept(worker, ONE)
    before = snapshot()
    claim = worker.claim(ONE)
    worker.record_intent(claim, "draft")
    context = worker.context(claim)
    project = worker.v3.create_project(context.vendor_body(), export=False)
    before.restore()
    Doubt(worker.ledger).begin("test")
    assert settle(worker) == {ONE: "confirm"}
    assert worker.record(ONE)["state"] == "unconfirmed"
    assert worker.poll_until(ONE, "delivered")["project_id"] != project
    assert worker.exports() == 1


def test_a_render_that_may_still_be_rendering_is_looked_for_until_it_would_be_listed(worker, snapshot):
    accept(worker, ONE)
    before = snapshot()
    before.restore()
    Doubt(worker.ledger).begin("test")
    (found,) = reconciler(worker, patience=1.5).find().differences
    assert (found.proposal, found.render_id) == ("resubmit", ONE)
    at = found.resubmit_at
    assert at is not None
    assert at > time.time()
    assert settle(worker, patience=1.5) == {ONE: "resubmit"}
    worker.poll_until(ONE, "submitting")
    assert time.time() >= at - 0.5
    worker.poll_until(ONE, "delivered")
    assert worker.exports() == 1


def test_where_finished_projects_are_deleted_absence_proves_nothing(worker, snapshot):
    accept(worker, ONE)
    Doubt(worker.ledger).begin("test")
    assert settle(worker, keeps_projects=False) == {ONE: "confirm"}
    assert worker.record(ONE)["state"] == "unconfirmed"
    assert Commands(worker.ledger).resubmit(ONE)
    worker.poll_until(ONE, "delivered")
    assert worker.exports() == 1


def test_a_project_that_is_gone_fails_its_render(worker, snapshot):
    accept(worker, ONE)
    worker.submit(ONE)
    before = snapshot()
    worker.poll_until(ONE, "delivered")
    worker.v3.delete_projects([worker.record(ONE)["project_id"]])
    before.restore()
    Doubt(worker.ledger).begin("test")
    assert settle(worker) == {ONE: "fail"}
    record = worker.record(ONE)
    assert (record["state"], record["error"]["code"]) == ("failed", "restored")


def test_a_retry_since_the_snapshot_is_taken_over_by_the_next_one(worker, snapshot):
    accept(worker, ONE)
    assert worker.ledger.fail(ONE, code="X", message="m", origin="vendor")
    before = snapshot()
    Commands(worker.ledger).retry(ONE)
    worker.poll_until(ONE, "delivered")
    before.restore()
    Doubt(worker.ledger).begin("test")
    assert settle(worker) == {ONE: "remember"}
    Commands(worker.ledger).retry(ONE)
    worker.poll_until(ONE, "delivered")
    assert worker.exports() == 1


def test_a_worker_that_lived_later_notices_and_submits_nothing(worker, snapshot):
    accept(worker, ONE)
    worker.ledger.sweep_turn("me", seconds=5.0, every=0.001)
    before = snapshot()
    worker.poll_until(ONE, "delivered")
    before.restore()
    worker.redis.set(worker.ledger.keys.lived, time.time() - 3600)
    assert worker.submit(ONE) == NotMyTurn()
    state = Doubt(worker.ledger).state()
    assert state is not None
    assert "went back" in state.why
    assert settle(worker) == {ONE: "adopt"}
    worker.poll_until(ONE, "delivered")
    assert worker.exports() == 1


@pytest.mark.parametrize("restored", [True, False], ids=["restored without a word", "an ordinary stop"])
def test_after_a_gap_the_account_is_looked_through_before_it_submits(new_local_worker, snapshot, restored):
    before_gap = new_local_worker()
    accept(before_gap, ONE, TWO)
    before_gap.redis.set(before_gap.ledger.keys.lived, time.time() - 3600)
    before = snapshot()
    if restored:
        before_gap.poll_until(ONE, "delivered")
        before.restore()
    worker = new_local_worker()
    worker.ledger.sweep_turn("me", seconds=5.0, every=0.001)
    worker.submit(TWO)
    assert worker.record(TWO)["state"] == "accepted"
    assert worker.ledger.due_cleanup(["main"]) == ["main"]
    GapCheck(worker.ledger, 3600.0).run(worker.accounts["main"])
    assert (Doubt(worker.ledger).state() is not None) == restored
    if restored:
        assert settle(worker) == {ONE: "adopt", TWO: "resubmit"}
    for one in (ONE, TWO):
        worker.poll_until(one, "delivered")
    assert worker.exports() == 2


def test_a_ledger_that_is_not_in_doubt_is_not_reconciled(worker):
    with pytest.raises(NotInDoubt):
        reconciler(worker).find()


@pytest.mark.parametrize("step", [-300.0, -40.0, 300.0, 3600.0], ids=lambda step: f"{step:+.0f}s")
def test_a_clock_of_the_server_that_is_set_is_no_older_ledger(redis, step):
    """The clock of the server is set, or a replica with another clock takes over: two workers go on."""
    clock = Clock()
    one, other = (Ledger(redis, grace=GRACE, clock=clock) for _ in range(2))
    accept_render(one, ONE)
    for ledger in (one, other, one):
        clock.forward(5.0)
        ledger.sweep_turn(str(id(ledger)), seconds=5.0, every=0.001)
    for set_by in (step, -step):
        clock.forward(set_by)
        for ledger in (one, other, one):
            clock.forward(5.0)
            ledger.sweep_turn(str(id(ledger)), seconds=5.0, every=0.001)
    assert Doubt(one).state() is None
    assert not Doubt(one).unchecked("main")
    assert other.claim_submission(ONE, lease=5.0, calls=1) is not None


def test_a_snapshot_from_before_the_clock_was_set_back_is_noticed(redis, snapshot):
    clock = Clock()
    one, other = (Ledger(redis, grace=GRACE, clock=clock) for _ in range(2))
    accept_render(one, ONE)
    one.sweep_turn("one", seconds=5.0, every=0.001)
    before = snapshot()
    clock.forward(-300.0)
    for ledger in (one, other):
        ledger.sweep_turn(str(id(ledger)), seconds=5.0, every=0.001)
    before.restore()
    with pytest.raises(LedgerInDoubt):
        other.sweep_turn("other", seconds=5.0, every=0.001)
    assert Doubt(one).end()
    for ledger in (one, other):
        ledger.sweep_turn(str(id(ledger)), seconds=5.0, every=0.001)
    assert Doubt(one).state() is None


DAY = 86_400.0


def a_day_later(new_local_worker: Callable[..., LocalWorker], *ids: str) -> LocalWorker:
    """Return a worker of a day later, after a gap, whose ledger has forgotten all that came before."""
    worker = new_local_worker(clock=lambda: time.time() + DAY)
    worker.redis.flushall()
    accept(worker, *ids)
    worker.redis.set(worker.ledger.keys.lived, time.time() + DAY - 3600)
    worker.ledger.sweep_turn("me", seconds=5.0, every=0.001)
    assert Doubt(worker.ledger).unchecked("main")
    GapCheck(worker.ledger, 3600.0).run(worker.accounts["main"])
    return worker


def test_a_key_that_comes_again_after_the_retention_is_no_proof_of_an_older_ledger(new_local_worker):
    before = new_local_worker()
    accept(before, ONE)
    assert before.ledger.fail(ONE, code="X", message="m", origin="vendor")
    Commands(before.ledger).retry(ONE)
    accept(before, TWO)
    for one in (ONE, TWO):
        before.poll_until(one, "delivered")
    worker = a_day_later(new_local_worker, ONE, TWO)
    assert Doubt(worker.ledger).state() is None
    assert not Doubt(worker.ledger).unchecked("main")
    worker.poll_until(TWO, "delivered")
    assert worker.exports() == 3


def test_a_key_that_comes_again_after_the_retention_gets_a_video_of_its_own(new_local_worker):
    before = new_local_worker()
    accept(before, ONE)
    project = before.poll_until(ONE, "delivered")["project_id"]
    worker = a_day_later(new_local_worker, TWO)
    accept(worker, ONE)
    assert worker.poll_until(ONE, "delivered")["project_id"] != project
    assert worker.exports() == 2


@pytest.mark.parametrize("fault", ["500", "malformed"])
def test_a_vendor_without_a_list_does_not_stop_an_account_for_long(worker, shared_sandbox, fault):
    accept(worker, ONE)
    worker.redis.sadd(worker.ledger.keys.unchecked, "main")
    shared_sandbox.control("POST", "faults", call="GET /api/odin/v3/editor/project", fault=fault, rate=1)
    check = GapCheck(worker.ledger, 3600.0, patience=0.2)
    with pytest.raises(StudioFault):
        check.run(worker.accounts["main"])
    assert Doubt(worker.ledger).unchecked("main")
    time.sleep(0.2)
    check.run(worker.accounts["main"])
    assert not Doubt(worker.ledger).unchecked("main")
    assert Doubt(worker.ledger).state() is None
