"""A step whose answer was lost comes again, by the client library's own doing: it must have happened once."""

import threading

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from harness.ledger import GRACE, LEASE, LedgerDriver
from harness.lossy_proxy import LossyProxy
from renderline.ledger import PollResult
from renderline.ledger.script import REPEATABLE, Scripts

HOOK = {"lease": LEASE}


def _waiting(driver):
    driver.accept("r1", hooks=1)
    driver.accept("r2", hooks=1)


def _submitting(driver):
    _waiting(driver)
    driver.kept = driver.claim("r1")


def _announced(driver):
    _submitting(driver)
    driver.ledger.record_intent(driver.kept, "draft", lease=LEASE)


def _exporting(driver):
    _announced(driver)
    driver.ledger.advance(driver.kept, stage="export", project_id="p1")
    driver.ledger.record_intent(driver.kept, "export", lease=LEASE)


def _due(driver):
    _waiting(driver)
    driver.kept = driver.start("r1")
    driver.start("r2")
    driver.clock.forward(10.0)


def _looked(driver):
    _due(driver)
    driver.wake, driver.kept = driver.kept, driver.claim_due_polls(driver.kept)[0]


def _unconfirmed(driver):
    _waiting(driver)
    driver.wake = driver.start("r1", confirmed=False)
    (driver.kept,) = driver.claim_due_polls(driver.wake)


def _completed(driver):
    driver.complete("r1")


def _hooking(driver):
    _completed(driver)
    driver.kept = driver.ledger.claim_hook("r1", 0, **HOOK)


def _dead(driver):
    _hooking(driver)
    driver.ledger.record_hook("r1", 0, driver.kept, outcome="dead", error="no")


def _failed(driver):
    _waiting(driver)
    driver.ledger.fail("r1", code="1", message="no", origin="vendor")


def _parked(driver):
    driver.operations.pause("main")
    _waiting(driver)
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None
    driver.operations.resume("main")


def _silent(driver):
    _waiting(driver)
    driver.clock.forward(2 * GRACE)


def _overdue(driver):
    driver.accept("r1", deadline=10.0, hooks=1)
    driver.kept = driver.start("r1")
    driver.clock.forward(11.0)


def _late(driver):
    _overdue(driver)
    driver.ledger.overdue()
    driver.claim_due_polls(driver.kept)
    driver.clock.forward(GRACE + 1)


def _deserted(driver):
    _due(driver)
    driver.clock.forward(3 * GRACE)


def _finding(driver, status, **details):
    return PollResult(driver.kept.id, driver.kept.epoch, status, **details)


STEPS = {
    "accept": (lambda _: None, lambda b, _: b.accept("r1") is not None),
    "claim a submission": (_waiting, lambda b, _: b.ledger.claim_submission("r1", lease=LEASE, first={"project": "d"})),
    "announce": (_submitting, lambda b, s: b.ledger.record_intent(s.kept, "draft", lease=LEASE)),
    "advance": (_announced, lambda b, s: b.ledger.advance(s.kept, stage="export", project_id="p1", lease=LEASE)),
    "start": (_exporting, lambda b, s: b.ledger.start(s.kept, confirmed=True, project_id="p1", poll_in=2.0)),
    "release": (_announced, lambda b, s: b.ledger.release(s.kept, retry_in=5.0, note="no", failed=True)),
    "fail": (_waiting, lambda b, _: b.ledger.fail("r1", code="1", message="no", origin="vendor")),
    "claim polls": (
        _due,
        lambda b, s: b.ledger.claim_due_polls("main", slot=0, ticket=s.kept.ticket, limit=1, lease=LEASE),
    ),
    "record progress": (
        _looked,
        lambda b, s: b.ledger.record_poll_results([_finding(s, "wait", poll_in=3.0, progress=7)]),
    ),
    "record untouched": (
        _unconfirmed,
        lambda b, s: b.ledger.record_poll_results([_finding(s, "untouched", poll_in=3.0)]),
    ),
    "record done": (_looked, lambda b, s: b.ledger.record_poll_results([_finding(s, "done", url="u")])),
    "rest": (_looked, lambda b, s: b.ledger.sleep_pump("main", slot=0, ticket=s.wake.ticket, limit=9)),
    "claim a hook": (_completed, lambda b, _: b.ledger.claim_hook("r1", 0, **HOOK)),
    "renew a hook": (_hooking, lambda b, s: b.ledger.renew_hook("r1", 0, s.kept, **HOOK)),
    "settle a hook": (_hooking, lambda b, s: b.ledger.record_hook("r1", 0, s.kept, outcome="delivered")),
    "cancel": (_waiting, lambda b, _: b.operations.cancel("r1")),
    "retry": (_failed, lambda b, _: b.operations.retry("r1")),
    "replay": (_dead, lambda b, _: b.operations.replay("r1", 0)),
    "adopt": (_unconfirmed, lambda b, _: b.operations.adopt("r1", "p9")),
    "resubmit": (_unconfirmed, lambda b, _: b.operations.resubmit("r1")),
    "hint": (_due, lambda b, _: b.operations.record_webhook("r1", progress=100.0, url="u")),
    "wait": (_due, lambda b, _: b.limits.back_off("main", seconds=3.0)),
    "hold": (_due, lambda b, _: b.limits.hold("main", reason="no credit", seconds=3.0)),
    "slow down": (_due, lambda b, _: b.limits.slow_down("main", seconds=3.0)),
    "count a failed call": (_due, lambda b, _: b.limits.call_failed("main", failures=2, pause=3.0)),
    "resume": (_due, lambda b, _: b.operations.resume("main")),
    "unpark": (_parked, lambda b, _: b.limits.unpark()),
    "take what is silent": (_silent, lambda b, _: b.ledger.stalled()),
    "have overdue ones polled": (_overdue, lambda b, _: b.ledger.overdue()),
    "expire overdue ones": (_late, lambda b, _: b.ledger.overdue()),
    "start pumps": (_deserted, lambda b, _: b.ledger.restart_pumps()),
}


@pytest.fixture
def line(valkey):
    with LossyProxy(valkey.port) as line:
        yield line


def _contents(redis):
    """Return all that the ledger holds, by key; of its events all but their ids."""
    read = {"hash": redis.hgetall, "set": redis.smembers, "string": redis.get}
    read["list"] = lambda key: redis.lrange(key, 0, -1)
    read["zset"] = lambda key: redis.zrange(key, 0, -1, withscores=True)
    read["stream"] = lambda key: [fields for _, fields in redis.xrange(key)]
    keys = [key for key in redis.scan_iter() if not key.startswith("renderline:answer:")]
    return {key: read[redis.type(key)](key) for key in keys}


def _played(redis, client, step, *, lose=lambda: None):
    redis.flushall()
    prepare, act = step
    ours, theirs = LedgerDriver(redis), LedgerDriver(client)
    ours.clock.now = 1_000_000.0
    theirs.clock = ours.clock
    theirs.ledger.run.__self__._clock = ours.clock
    prepare(ours)
    lose()
    return act(theirs, ours), _contents(redis)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_whose_answer_is_lost_happens_once_and_is_answered(redis, line, name):
    with Redis(port=line.port, decode_responses=True, retry=Retry(NoBackoff(), 3)) as client:
        expected = _played(redis, client, STEPS[name])
        assert _played(redis, client, STEPS[name], lose=line.lose_next) == expected
    assert line.lost == 1


def test_a_step_that_arrives_after_its_caller_has_gone_on_is_not_run(redis):
    scripts = Scripts(redis, prefix="renderline:", grace=GRACE)
    driver = LedgerDriver(redis)
    driver.accept("r1")
    scripts.run("cancel", "r9")
    late = [scripts._caller._key, f"{scripts._caller._key}:{0:016x}"]
    scripts.run("cancel", "r9")
    with pytest.raises(ResponseError, match="LATE"):
        scripts._steps["cancel"](keys=late, args=["", GRACE, "r1"])
    assert driver.state() == "accepted"


def test_kept_answers_are_one_for_each_thread_that_calls(redis):
    scripts = Scripts(redis, prefix="renderline:", grace=GRACE)

    def call_often():
        for _ in range(20):
            scripts.run("sweep_stalled", 10)

    threads = [threading.Thread(target=call_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    kept = list(redis.scan_iter("renderline:answer:*"))
    assert len(kept) == 3
    assert all(0 < redis.pttl(key) <= 60_000 for key in kept)


def test_what_need_not_be_kept_names_real_steps():
    scripts = Scripts(Redis(), prefix="", grace=1.0)
    assert set(scripts._steps) >= REPEATABLE
