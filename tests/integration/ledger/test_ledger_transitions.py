"""Every step against every state: what may happen happens, nothing else does, and the indexes stay true."""

from dataclasses import replace

import pytest

from harness.ledger import LEASE
from renderline.ledger import PollResult
from renderline.renders import State


class Actor:
    """Does every step that the ledger knows, with the right fence, epoch and ticket, whatever the state."""

    def __init__(self, driver):
        self.driver, self.ledger = driver, driver.ledger
        self.claim = None

    # -- ways into each state, by legal steps

    def into(self, state):
        getattr(self, f"_{state}")()
        assert self.driver.state() == state
        self.driver.check_indexes()

    def _accepted(self):
        self.driver.accept(hooks=1)

    def _submitting(self):
        self._accepted()
        self.claim = self.driver.claim()
        self.ledger.record_intent(self.claim, "export", lease=LEASE)

    def _unconfirmed(self):
        self._submitting()
        self.ledger.start(self.claim, confirmed=False, project_id="p1", poll_in=1.0)

    def _rendering(self):
        self._submitting()
        self.ledger.start(self.claim, confirmed=True, project_id="p1", poll_in=1.0)

    def _completed(self):
        self._rendering()
        self.record_done()

    def _delivered(self):
        self._completed()
        self.settle_delivered()

    def _undelivered(self):
        self._completed()
        self.settle_dead()

    def _failed(self):
        self._accepted()
        self.fail()

    def _expired(self):
        self._rendering()
        self.record_expired()

    def _canceled(self):
        self._accepted()
        self.cancel()

    # -- the steps

    def begin(self):
        self.driver.clock.forward(LEASE + 1)
        self.ledger.claim_submission("r1", lease=LEASE)

    def begin_early(self):
        self.ledger.claim_submission("r1", lease=LEASE)

    def _holding(self):
        fence = self.driver.redis.hget("renderline:render:r1", "fence") or "0"
        if self.claim is None:
            self.driver.accept("other")
            self.claim = self.driver.claim("other")
        return replace(self.claim, id="r1", fence=fence)

    def record_intent(self):
        self.ledger.record_intent(self._holding(), "export", lease=LEASE)

    def advance(self):
        self.ledger.advance(self._holding(), stage="export", project_id="p9")

    def start_seen(self):
        self.ledger.start(self._holding(), confirmed=True, project_id="p9", poll_in=1.0)

    def start_unseen(self):
        self.ledger.start(self._holding(), confirmed=False, project_id="p9", poll_in=1.0)

    def release(self):
        self.ledger.release(self._holding(), retry_in=1.0, note="later")

    def fail_fenced(self):
        self.ledger.fail("r1", code="", message="no", origin="vendor", fence=self._holding().fence)

    def fail(self):
        self.ledger.fail("r1", code="", message="no", origin="vendor")

    def _record(self, status):
        epoch = int(self.driver.redis.hget("renderline:render:r1", "epoch") or 0)
        if not epoch:
            epoch = self.driver.redis.hincrby("renderline:render:r1", "epoch", 1)
        finding = PollResult("r1", epoch, status, poll_in=1.0, url="https://v/1.mp4", message="x", project_id="p1")
        self.ledger.record_poll_results([finding])

    def record_wait(self):
        self._record("wait")

    def record_error(self):
        self._record("error")

    def record_started(self):
        self._record("started")

    def record_untouched(self):
        self._record("untouched")

    def record_resubmit(self):
        self._record("resubmit")

    def record_done(self):
        self._record("done")

    def record_failed(self):
        self._record("failed")

    def record_expired(self):
        self._record("expired")

    def overdue(self):
        self.driver.clock.forward(3600)
        self.driver.redis.zadd("renderline:deadline", {"r1": 1})
        for wake in self.ledger.overdue()[1] or self.ledger.restart_pumps():
            self.driver.claim_due_polls(wake)
        self.driver.clock.forward(3600)
        self.ledger.overdue()

    def _settle(self, outcome):
        claim = self.ledger.claim_hook("r1", 0, lease=LEASE)
        self.ledger.record_hook("r1", 0, claim, outcome=outcome, error="x")

    def settle_delivered(self):
        self._settle("delivered")

    def settle_dead(self):
        self._settle("dead")

    def settle_retrying(self):
        self._settle("retrying")

    def settle_unclaimed(self):
        claim = self.ledger.claim_hook("r1", 0, lease=LEASE)
        fence = self.driver.redis.hget("renderline:render:r1", "h0:fence") or "0"
        self.ledger.record_hook("r1", 0, replace(claim, fence=fence), outcome="delivered")

    def silent(self):
        self.driver.clock.forward(7200)
        self.ledger.stalled()

    def pumps(self):
        self.driver.clock.forward(60)
        for wake in self.ledger.restart_pumps():
            self.driver.claim_due_polls(wake)

    def forget(self):
        self.ledger.forget(retention=60.0)

    def accept(self):
        self.driver.accept(hooks=1)

    def unpark(self):
        self.driver.limits.unpark()

    def cancel(self):
        self.driver.operations.cancel("r1")

    def retry(self):
        self.driver.operations.retry("r1")

    def replay(self):
        self.driver.operations.replay("r1", 0)

    def adopt(self):
        self.driver.operations.adopt("r1", "p7")

    def resubmit(self):
        self.driver.operations.resubmit("r1")

    def hint(self):
        self.driver.operations.record_webhook("r1", progress=100.0, url="https://v/1.mp4")


LIVE = ("rendering", "unconfirmed")
EXPECTED = {
    "begin": {"accepted": "submitting"},
    "begin_early": {"accepted": "submitting"},
    # From unconfirmed: the answer to the call whose outcome was unknown.
    "start_seen": {"submitting": "rendering", "unconfirmed": "rendering"},
    "start_unseen": {"submitting": "unconfirmed"},
    "fail": dict.fromkeys(("accepted", "submitting", *LIVE), "failed"),
    "fail_fenced": {"submitting": "failed"},
    "record_started": {"unconfirmed": "rendering"},
    "record_resubmit": {"unconfirmed": "submitting"},
    "record_done": dict.fromkeys(LIVE, "completed"),
    "record_failed": dict.fromkeys(LIVE, "failed"),
    "record_expired": dict.fromkeys(LIVE, "expired"),
    "overdue": dict.fromkeys(LIVE, "expired"),
    "settle_delivered": {"completed": "delivered"},
    "settle_unclaimed": {"completed": "delivered"},
    "settle_dead": {"completed": "undelivered"},
    "cancel": dict.fromkeys(("accepted", "submitting", *LIVE, "completed"), "canceled"),
    "retry": dict.fromkeys(("failed", "expired"), "accepted"),
    "replay": {"undelivered": "completed"},
    "adopt": {"unconfirmed": "rendering"},
    "resubmit": {"unconfirmed": "submitting"},
    "hint": {"unconfirmed": "rendering"},
}
STEPS = sorted(name for name in vars(Actor) if not name.startswith("_") and name != "into")


def test_the_table_names_steps_that_exist():
    assert set(EXPECTED) <= set(STEPS)


@pytest.mark.parametrize("state", [str(state) for state in State])
def test_every_step_makes_only_its_own_transitions(new_driver, state):
    wrong = []
    for step in STEPS:
        driver = new_driver()
        actor = Actor(driver)
        actor.into(state)
        getattr(actor, step)()
        after, expected = driver.state(), EXPECTED.get(step, {}).get(state, state)
        if after != expected:
            wrong.append(f"{step}: {state} -> {after}, not {expected}")
        try:
            driver.check_indexes()
        except AssertionError as problem:
            wrong.append(f"{step} from {state}: {problem}")
    assert not wrong, "\n".join(wrong)
