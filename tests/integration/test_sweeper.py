"""The sweep: one at a time over all workers, and everything that stands still is moved on."""

import threading
import time

import pytest

from harness import until
from harness.ledger import GRACE, LEASE
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.cleanup.runner import CleanupRunner
from renderline.renders import FINAL
from renderline.sweeper import Sweeper


class Recorder:
    """Keeps what is to be sent; `gate` holds the first message back."""

    def __init__(self):
        self.sent = []
        self.entered, self.gate = threading.Event(), threading.Event()
        self.gate.set()

    def _take(self, *message):
        self.entered.set()
        assert self.gate.wait(60)
        self.sent.append(message)

    def oldest(self):
        return {}

    def submit(self, render_id, priority):
        self._take("submit", render_id, priority)

    def submit_all(self, renders):
        for render_id, priority in renders:
            self.submit(render_id, priority)

    def poll(self, kick):
        self._take("poll", kick.account, kick.slot, kick.ticket)

    def hooks(self, render_id):
        self._take("hooks", render_id)

    def hooks_all(self, ids):
        for render_id in ids:
            self.hooks(render_id)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def new_sweeper(book, recorder):
    def new(**options):
        given = {"every": 0.05, "retention": 1e9, "ledger": book.ledger, **options}
        return Sweeper(flow=book.flow, dispatcher=recorder, **given)

    return new


@pytest.fixture
def sweep(book, new_sweeper):
    """Sweep now, whenever the last sweep was."""
    sweeper = new_sweeper()

    def now():
        book.redis.delete("renderline:sweep")
        assert sweeper.sweep()

    return now


def test_nothing_to_do(sweep, recorder):
    sweep()
    assert recorder.sent == []


def test_what_stood_still_is_sent_again(book, sweep, recorder):
    book.accept("a", priority="high")
    book.accept("b")
    book.claim("b")
    book.completed("c")
    sweep()
    assert recorder.sent == []
    book.clock.forward(LEASE + GRACE + 2)
    sweep()
    assert sorted(recorder.sent) == [("hooks", "c"), ("submit", "a", "high"), ("submit", "b", "normal")]
    recorder.sent.clear()
    sweep()
    assert recorder.sent == []


def test_dead_pumps_are_started(book, sweep, recorder):
    book.accept()
    kick = book.started()
    book.clock.forward(GRACE + 10)
    sweep()
    assert recorder.sent == [("poll", "main", kick.slot, kick.ticket + 1)]


def test_an_overdue_render_gets_its_last_look_and_then_its_hooks(book, sweep, recorder):
    book.accept(hooks=1, deadline=100.0)
    book.started()
    book.clock.forward(101.0)
    sweep()
    ((_, account, slot, ticket),) = recorder.sent
    batch = book.ledger.claim_due(account, slot=slot, ticket=ticket, limit=9, lease=LEASE)
    assert len(batch.looks) == 1
    recorder.sent.clear()
    book.clock.forward(GRACE + 1)
    sweep()
    assert ("hooks", "r1") in recorder.sent
    assert book.state() == "expired"


def test_parked_renders_are_sent_when_their_account_may_go_on(book, sweep, recorder):
    book.operations.pause("main")
    book.accept()
    assert book.ledger.begin_submission("r1", lease=LEASE) is None
    sweep()
    assert recorder.sent == []
    book.operations.resume("main")
    sweep()
    assert recorder.sent == [("submit", "r1", "normal")]


def test_old_records_are_dropped(book, new_sweeper):
    book.completed(hooks=0)
    book.clock.forward(1000.0)
    assert new_sweeper(retention=500.0).sweep()
    assert book.ledger.record("r1") is None


def test_one_sweep_in_a_period_over_all_workers(book, new_sweeper):
    sweepers = [new_sweeper(every=60.0) for _ in range(8)]
    ready = threading.Barrier(8)
    swept = []

    def run(sweeper):
        ready.wait()
        swept.append(sweeper.sweep())

    threads = [threading.Thread(target=run, args=(one,)) for one in sweepers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(swept) == [False] * 7 + [True]
    assert 50_000 < book.redis.pttl("renderline:sweep") <= 60_000


def test_a_long_sweep_is_not_joined_by_another_one(book, new_sweeper, recorder):
    book.accept()
    book.clock.forward(GRACE + 1)
    recorder.gate.clear()
    first, second = new_sweeper(), new_sweeper()
    running = threading.Thread(target=first.sweep)
    running.start()
    assert recorder.entered.wait(60)
    book.redis.delete("renderline:sweep")
    assert second.sweep() is False
    recorder.gate.set()
    running.join(60)
    until(lambda: second.sweep())
    assert recorder.sent == [("submit", "r1", "normal")]


def test_a_sweeper_that_died_is_followed_by_another_one(book, new_sweeper):
    assert book.redis.set("renderline:sweep:lock", "of a dead worker", px=300)
    began = time.monotonic()
    sweeper = new_sweeper()
    until(sweeper.sweep)
    assert time.monotonic() - began > 0.2


def test_a_broker_that_fails_in_a_sweep_does_not_keep_the_lock(book, new_sweeper, recorder):
    book.accept()
    book.clock.forward(GRACE + 1)
    recorder.submit = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        new_sweeper().sweep()
    assert not book.redis.exists("renderline:sweep:lock")


def test_a_message_that_the_broker_lost_is_sent_by_a_later_sweep(book, sweep, recorder):
    book.accept()
    for _ in range(3):
        book.clock.forward(GRACE * 40)
        sweep()
    assert recorder.sent == [("submit", "r1", "normal")] * 3


# -- drafts that nobody knows


def test_a_second_draft_that_the_list_did_not_show_in_time_is_deleted(stage):
    one = "0" * 31 + "1"
    data = {"kind": "project", "name": "Welcome", "scenes": SCENES}
    stage.accept(data, one)
    claim = stage.claim(one)
    stage.intend(claim, "draft")
    orphan = stage.v3.create_project(stage.context(claim).vendor_body(), export=False)
    # Its worker died, and the list did not show the draft when the next one looked.
    stage.redis.hdel(f"renderline:render:{one}", "intent")
    stage.lapse(one)
    record = stage.poll_until(one, *FINAL)
    assert record["state"] == "delivered"
    member = f"{one}.{record['attempt']}#1"
    stage.redis.zadd("renderline:suspects:main", {member: 1})
    CleanupRunner(stage.ledger, stage.accounts, [OrphanSweep(stage.ledger, lease=LEASE)]).run("main")
    shown = {seen["id"]: (seen["exports"], seen["deleted"]) for seen in stage.seen()}
    assert shown == {orphan: (0, True), record["project_id"]: (1, False)}
    assert stage.redis.zscore("renderline:suspects:main", member) is None


SCENES = [
    {
        "script": "Hello.",
        "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"},
        "background": {"color": "#12355b"},
    }
]
