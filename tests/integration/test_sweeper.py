"""The sweep: one at a time over all workers, and everything that stalled goes on."""

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

    def poll(self, wake):
        self._take("poll", wake.account, wake.slot, wake.ticket)

    def hooks(self, render_id):
        self._take("hooks", render_id)

    def hooks_all(self, ids):
        for render_id in ids:
            self.hooks(render_id)


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def new_sweeper(driver, recorder):
    def new(**options):
        given = {"every": 0.05, "retention": 1e9, "ledger": driver.ledger, **options}
        return Sweeper(limits=driver.limits, dispatcher=recorder, **given)

    return new


@pytest.fixture
def sweep(driver, new_sweeper):
    """Sweep now, whenever the last sweep was."""
    sweeper = new_sweeper()

    def now():
        driver.redis.delete("renderline:sweep")
        assert sweeper.sweep()

    return now


def test_nothing_to_do(sweep, recorder):
    sweep()
    assert recorder.sent == []


def test_what_stood_still_is_sent_again(driver, sweep, recorder):
    driver.accept("a", priority="high")
    driver.accept("b")
    driver.claim("b")
    driver.complete("c")
    sweep()
    assert recorder.sent == []
    driver.clock.forward(LEASE + GRACE + 2)
    sweep()
    assert sorted(recorder.sent) == [("hooks", "c"), ("submit", "a", "high"), ("submit", "b", "normal")]
    recorder.sent.clear()
    sweep()
    assert recorder.sent == []


def test_dead_pumps_are_started(driver, sweep, recorder):
    driver.accept()
    wake = driver.start()
    driver.clock.forward(GRACE + 10)
    sweep()
    assert recorder.sent == [("poll", "main", wake.slot, wake.ticket + 1)]


def test_an_overdue_render_gets_its_last_poll_and_then_its_hooks(driver, sweep, recorder):
    driver.accept(hooks=1, deadline=100.0)
    driver.start()
    driver.clock.forward(101.0)
    sweep()
    ((_, account, slot, ticket),) = recorder.sent
    batch = driver.ledger.claim_due_polls(account, slot=slot, ticket=ticket, limit=9, lease=LEASE)
    assert len(batch.polls) == 1
    recorder.sent.clear()
    driver.clock.forward(GRACE + 1)
    sweep()
    assert ("hooks", "r1") in recorder.sent
    assert driver.state() == "expired"


def test_parked_renders_are_sent_when_their_account_may_go_on(driver, sweep, recorder):
    driver.operations.pause("main")
    driver.accept()
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None
    sweep()
    assert recorder.sent == []
    driver.operations.resume("main")
    sweep()
    assert recorder.sent == [("submit", "r1", "normal")]


def test_old_records_are_dropped(driver, new_sweeper):
    driver.complete(hooks=0)
    driver.clock.forward(1000.0)
    assert new_sweeper(retention=500.0).sweep()
    assert driver.ledger.record("r1") is None


def test_one_sweep_in_a_period_over_all_workers(driver, new_sweeper):
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
    assert 50_000 < driver.redis.pttl("renderline:sweep") <= 60_000


def test_a_long_sweep_is_not_joined_by_another_one(driver, new_sweeper, recorder):
    driver.accept()
    driver.clock.forward(GRACE + 1)
    recorder.gate.clear()
    first, second = new_sweeper(), new_sweeper()
    running = threading.Thread(target=first.sweep)
    running.start()
    assert recorder.entered.wait(60)
    driver.redis.delete("renderline:sweep")
    assert second.sweep() is False
    recorder.gate.set()
    running.join(60)
    until(lambda: second.sweep())
    assert recorder.sent == [("submit", "r1", "normal")]


def test_a_sweeper_that_died_is_followed_by_another_one(driver, new_sweeper):
    assert driver.redis.set("renderline:sweep:lock", "of a dead worker", px=300)
    began = time.monotonic()
    sweeper = new_sweeper()
    until(sweeper.sweep)
    assert time.monotonic() - began > 0.2


def test_a_broker_that_fails_in_a_sweep_does_not_keep_the_lock(driver, new_sweeper, recorder):
    driver.accept()
    driver.clock.forward(GRACE + 1)
    recorder.submit = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        new_sweeper().sweep()
    assert not driver.redis.exists("renderline:sweep:lock")


def test_a_message_that_the_broker_lost_is_sent_by_a_later_sweep(driver, sweep, recorder):
    driver.accept()
    for _ in range(3):
        driver.clock.forward(GRACE * 40)
        sweep()
    assert recorder.sent == [("submit", "r1", "normal")] * 3


# -- drafts that nobody knows


def test_a_second_draft_that_the_list_did_not_show_in_time_is_deleted(local_worker):
    one = "0" * 31 + "1"
    data = {"kind": "project", "name": "Welcome", "scenes": SCENES}
    local_worker.accept(data, one)
    claim = local_worker.claim(one)
    local_worker.record_intent(claim, "draft")
    orphan = local_worker.v3.create_project(local_worker.context(claim).vendor_body(), export=False)
    # Its worker died, and the list did not show the draft when the next one looked.
    local_worker.redis.hdel(f"renderline:render:{one}", "intent")
    local_worker.lapse(one)
    record = local_worker.poll_until(one, *FINAL)
    assert record["state"] == "delivered"
    member = f"{one}.{record['attempt']}#1"
    local_worker.redis.zadd("renderline:orphan_drafts:main", {member: 1})
    CleanupRunner(local_worker.ledger, local_worker.accounts, [OrphanSweep(local_worker.ledger, lease=LEASE)]).run(
        "main"
    )
    shown = {seen["id"]: (seen["exports"], seen["deleted"]) for seen in local_worker.seen()}
    assert shown == {orphan: (0, True), record["project_id"]: (1, False)}
    assert local_worker.redis.zscore("renderline:orphan_drafts:main", member) is None


SCENES = [
    {
        "script": "Hello.",
        "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"},
        "background": {"color": "#12355b"},
    }
]
