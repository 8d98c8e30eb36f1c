"""Delivering a finished render's hooks: tried, retried, given up, renewed, and each settled once."""

import threading
import time

import pytest
from marshmallow import Schema
from redis import Redis
from structlog.testing import capture_logs

from harness import until
from harness.ledger import LEASE, accept_render
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HookFailed
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done, NotMyTurn
from renderline.ledger import Ledger, PollResult
from renderline.retry import HookRetryPolicy, RetryIn


class Hook:
    """A hook kind that does what the test says, and keeps what it was given."""

    type = "http"
    schema = Schema()

    def __init__(self):
        self.deliveries = []
        self.does = lambda: {}
        self.wanted = {"render.completed", "render.failed", "render.expired", "render.canceled"}

    def wants(self, event, hook=None):
        return event in self.wanted

    def problem(self, hook):
        return None

    def deliver(self, hook, delivery):
        self.deliveries.append((hook, delivery))
        return self.does()


@pytest.fixture
def hook():
    return Hook()


@pytest.fixture
def deliverer(driver, hook):
    return Deliverer(
        driver.ledger,
        RecordedDispatcher(),
        {"http": hook, "download": hook},
        retries=HookRetryPolicy(attempts=3),
        lease=LEASE,
    )


def failing(*faults):
    """Return what raises the faults one after the other, and succeeds from then on."""
    left = list(faults)

    def does():
        if left:
            raise left.pop(0)
        return {}

    return does


def test_a_hook_is_told_once(driver, deliverer, hook):
    driver.complete(hooks=1)
    assert deliverer.deliver("r1", 0) == Done()
    assert deliverer.deliver("r1", 0) == Done()
    ((spec, delivery),) = hook.deliveries
    assert spec == {"type": "http"}
    assert (delivery.event, delivery.webhook_id) == ("render.completed", "msg_r1_1_0")
    assert delivery.record["state"] == "completed"
    assert delivery.record["download_url"] == "https://v/1.mp4"
    assert abs(delivery.timestamp - time.time()) < 5
    assert driver.state() == "delivered"


def test_a_later_hook_sees_what_the_ones_before_brought(driver, deliverer, hook):
    driver.complete(hooks=("download", "http"))
    hook.does = lambda: {"stored_url": "file:///videos/r1.mp4"}
    assert deliverer.deliver("r1", 1) == NotMyTurn()
    deliverer.deliver("r1", 0)
    deliverer.deliver("r1", 1)
    assert hook.deliveries[1][1].record["stored_url"] == "file:///videos/r1.mp4"
    assert [delivery.webhook_id for _, delivery in hook.deliveries] == ["msg_r1_1_0", "msg_r1_1_1"]


def test_nothing_is_delivered_before_the_end(driver, deliverer, hook):
    driver.accept(hooks=1)
    driver.start()
    assert deliverer.deliver("r1", 0) == Done()
    assert deliverer.deliver("nobody", 0) == Done()
    assert hook.deliveries == []


def test_a_failing_hook_is_tried_again_under_the_same_id_and_then_given_up(driver, deliverer, hook):
    driver.complete(hooks=2)
    hook.does = failing(*[HookFailed(f"answered 50{index}") for index in range(3)])
    for index, (least, most) in enumerate([(1.6, 2.4), (4.0, 6.0)]):
        outcome = deliverer.deliver("r1", 0)
        assert isinstance(outcome, RetryIn)
        assert least <= outcome.seconds <= most
        shown = driver.record()["hooks"][0]
        assert (shown["state"], shown["attempts"], shown["error"]) == ("retrying", index + 1, f"answered 50{index}")
        assert deliverer.deliver("r1", 0) == NotMyTurn(), "too early"
        driver.clock.forward(outcome.seconds)
    assert deliverer.deliver("r1", 0) == Done()
    assert driver.record()["hooks"][0]["state"] == "dead"
    assert {delivery.webhook_id for _, delivery in hook.deliveries} == {"msg_r1_1_0"}
    # A broken hook must not stop the next one, which reports it.
    assert deliverer.deliver("r1", 1) == Done()
    assert hook.deliveries[-1][1].record["hooks"][0]["error"] == "answered 502"
    assert driver.state() == "undelivered"


def test_a_replayed_hook_keeps_its_id(driver, deliverer, hook):
    driver.complete(hooks=1)
    hook.does = failing(HookFailed("410", permanent=True))
    deliverer.deliver("r1", 0)
    assert driver.state() == "undelivered"
    assert driver.operations.replay("r1", 0)
    assert deliverer.deliver("r1", 0) == Done()
    assert driver.state() == "delivered"
    assert {delivery.webhook_id for _, delivery in hook.deliveries} == {"msg_r1_1_0"}


def test_a_permanent_failure_is_not_repeated(driver, deliverer, hook):
    driver.complete(hooks=1)
    hook.does = failing(HookFailed("answered 410: gone", permanent=True))
    assert deliverer.deliver("r1", 0) == Done()
    assert len(hook.deliveries) == 1
    assert driver.record()["hooks"][0]["error"] == "answered 410: gone"
    assert driver.redis.zrange("renderline:dead_letters", 0, -1) == ["r1:0"]


def test_the_receivers_wish_to_wait_is_kept(driver, deliverer, hook):
    driver.complete(hooks=1)
    hook.does = failing(HookFailed("busy", retry_after=500.0))
    outcome = deliverer.deliver("r1", 0)
    assert outcome == RetryIn(500.0, "busy")
    driver.clock.forward(499.0)
    assert deliverer.deliver("r1", 0) == NotMyTurn()
    driver.clock.forward(1.0)
    assert deliverer.deliver("r1", 0) == Done()


def test_a_hook_that_raises_something_else_is_a_failure_without_its_words(driver, deliverer, hook):
    driver.complete(hooks=1)
    hook.does = failing(RuntimeError("secret: whsec_abc"))
    with capture_logs():
        outcome = deliverer.deliver("r1", 0)
    assert isinstance(outcome, RetryIn)
    assert "whsec" not in outcome.why
    assert driver.record()["hooks"][0]["error"] == "RuntimeError in the http hook; see the worker's log"
    driver.clock.forward(outcome.seconds)
    assert deliverer.deliver("r1", 0) == Done()


def test_a_hook_that_does_not_want_the_event_is_skipped(driver, deliverer, hook):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="no")
    hook.wanted = {"render.completed"}
    assert deliverer.deliver("r1", 0) == Done()
    assert hook.deliveries == []
    assert driver.record()["hooks"][0]["state"] == "skipped"
    assert driver.state() == "failed"


@pytest.mark.parametrize("end", ["failed", "expired"])
def test_a_failed_render_is_reported(driver, deliverer, hook, end):
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, end, code="7001", message="no such voice")
    assert deliverer.deliver("r1", 0) == Done()
    ((_, delivery),) = hook.deliveries
    assert delivery.event == f"render.{end}"
    assert delivery.record["error"]["message"] == "no such voice"
    assert driver.state() == end


def test_a_hook_kind_that_no_worker_has_for_long_is_dead_lettered_and_the_chain_goes_on(driver, hook):
    driver.complete(hooks=1)
    bare = Deliverer(driver.ledger, RecordedDispatcher(), {}, HookRetryPolicy(attempts=3), LEASE, unknown_after=60.0)
    assert isinstance(bare.deliver("r1", 0), RetryIn)
    driver.clock.forward(61)
    assert bare.deliver("r1", 0) == Done()
    assert "in any worker for" in driver.record()["hooks"][0]["error"]
    assert driver.state() == "undelivered"


def test_ten_messages_at_once_are_one_delivery(driver, deliverer, hook):
    driver.complete(hooks=1)
    ready = threading.Barrier(10)

    def run():
        ready.wait()
        deliverer.deliver("r1", 0)

    threads = [threading.Thread(target=run) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(hook.deliveries) == 1
    assert driver.state() == "delivered"


def test_a_long_hook_keeps_its_claim_as_long_as_its_process_lives(valkey, redis, hook):
    """On the server's own clock: the claim would end in 0.3 s, the hook takes much longer."""
    ledger = Ledger(redis, grace=30.0)
    meta = {"name": "n", "hooks": [{"type": "http"}], "metadata": {}}
    accept_render(ledger, "r1", deadline=60.0, meta=meta)
    claim = ledger.claim_submission("r1", lease=9.0)
    ledger.record_intent(claim, "export", lease=9.0)
    _, wake = ledger.start(claim, confirmed=True, project_id="p", poll_in=0.0)
    (due_poll,) = ledger.claim_due_polls("main", slot=wake.slot, ticket=wake.ticket, limit=9, lease=9.0).polls
    ledger.record_poll_results([PollResult("r1", due_poll.epoch, "done", url="https://v/1.mp4")])

    entered, leave = threading.Event(), threading.Event()

    def does():
        entered.set()
        assert leave.wait(60)
        return {}

    hook.does = does
    with Redis.from_url(valkey.url, decode_responses=True) as other:
        here, there = (
            Deliverer(
                ledger=one,
                dispatcher=RecordedDispatcher(),
                kinds={"http": hook},
                retries=HookRetryPolicy(attempts=3),
                lease=0.3,
            )
            for one in (ledger, Ledger(other, grace=30.0))
        )
        running = threading.Thread(target=here.deliver, args=("r1", 0))
        running.start()
        assert entered.wait(60)
        for _ in range(8):
            time.sleep(0.1)
            here.renewal.renew_all()
            assert there.deliver("r1", 0) == NotMyTurn()
        # Without renewal, as if the process had died, the claim ends and another one takes the hook.
        hook.does = lambda: {}
        until(lambda: there.deliver("r1", 0) == Done())
        leave.set()
        running.join(60)
        here.renewal.renew_all()
    assert len(hook.deliveries) == 2
    assert ledger.record("r1")["state"] == "delivered"
    assert ledger.record("r1")["hooks"][0]["attempts"] == 2
