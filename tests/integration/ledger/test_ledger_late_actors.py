"""After an operator's step, earlier claims change nothing; `resume` lifts everything that held an account."""

import pytest

from harness.ledger import LEASE
from renderline.ledger import Queries


def test_who_submitted_before_a_resubmission_has_no_claim_any_more(driver):
    driver.accept()
    claim = driver.claim()
    assert driver.ledger.record_intent(claim, "export", lease=LEASE)
    assert driver.ledger.start(claim, confirmed=False, project_id=None, poll_in=2.0)[0]
    assert driver.operations.resubmit("r1")
    assert not driver.ledger.record_intent(claim, "export", lease=LEASE)
    assert not driver.ledger.start(claim, confirmed=True, project_id="p1", poll_in=2.0)[0]
    assert not driver.ledger.fail("r1", code="x", message="late", origin="vendor", fence=claim.fence)
    assert driver.state() == "submitting"


def test_who_delivered_a_hook_before_its_replay_has_no_claim_any_more(driver):
    driver.complete(hooks=1)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    assert driver.ledger.record_hook("r1", 0, claim, outcome="dead", error="410") == "undelivered"
    assert driver.operations.replay("r1", 0)
    assert Queries(driver.ledger).dead_letters() == []
    assert driver.ledger.record_hook("r1", 0, claim, outcome="dead", error="410") == "completed"
    assert not driver.ledger.renew_hook("r1", 0, claim, lease=LEASE)
    assert driver.ledger.claim_hook("r1", 0, lease=LEASE).status == "yours"


def test_a_retry_that_read_an_earlier_attempt_does_nothing(driver):
    driver.accept()
    driver.ledger.fail("r1", code="x", message="first", origin="vendor")
    assert driver.operations.retry("r1")
    driver.ledger.fail("r1", code="x", message="second", origin="vendor")
    # It read the record while attempt 1 was the last one.
    assert driver.ledger.run("retry", "r1", 1, "[]") == ""
    record = driver.record()
    assert (record["state"], record["attempt"], len(record["history"])) == ("failed", 2, 1)


KEPT = """
state counted kind account priority fingerprint deadline hooks attempt stage awaited fence epoch t:accepted h0:fence
resends
"""
OF_AN_ATTEMPT = """
project_id baseline progress progress_at download_url stored_url credit error_code error_message error_origin
deadline_at late_at faults untouched untouched_at intent intent_at lease_until note webhook_hint reported_url
webhook_done polling_until poll_again polls attempts failures rate stalls draft revoking unknown_since
t:submitting t:unconfirmed t:rendering t:completed t:failed t:expired
h0 h0:at h0:error h0:attempts h0:until h0:late h0:since h0:probe h0:waits h0:waits_at h0:unknown_since
"""


def test_a_retry_keeps_nothing_of_the_attempt_before(driver):
    driver.accept(hooks=1)
    driver.ledger.fail("r1", code="x", message="first", origin="vendor")
    driver.redis.hset("renderline:render:r1", mapping=dict.fromkeys(OF_AN_ATTEMPT.split(), "1"))
    assert driver.operations.retry("r1")
    assert set(driver.redis.hkeys("renderline:render:r1")) <= set(KEPT.split())


def released(driver, seconds):
    """A worker that does not know the hook's type gives it back, after so many seconds; returns for how long so far."""
    driver.clock.forward(seconds)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    return driver.ledger.release_hook("r1", 0, claim, retry_in=1.0, note="type not installed")


def test_a_replayed_hook_is_not_blamed_for_how_long_its_type_was_unknown_before(driver):
    driver.complete(hooks=1)
    assert released(driver, 0.0) == 0.0
    assert released(driver, 90.0) == 90.0
    driver.clock.forward(2.0)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    driver.ledger.record_hook("r1", 0, claim, outcome="dead", error="type not installed")
    driver.operations.replay("r1", 0)
    assert released(driver, 90.0) == 0.0


def test_a_hook_that_a_worker_knew_is_not_blamed_for_how_long_its_type_was_unknown_before(driver):
    driver.complete(hooks=1)
    assert released(driver, 0.0) == 0.0
    driver.clock.forward(2.0)
    claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
    driver.ledger.record_hook("r1", 0, claim, outcome="retrying", retry_in=1.0, error="answered 500")
    assert released(driver, 90.0) == 0.0


HELD = {
    "pause": lambda driver: driver.operations.pause("main"),
    "backoff": lambda driver: driver.limits.back_off("main", seconds=90.0),
    "circuit": lambda driver: driver.limits.call_failed("main", failures=1, pause=90.0),
    "hold": lambda driver: driver.limits.hold("main", reason="no credit", seconds=90.0),
}


@pytest.mark.parametrize("held", HELD)
def test_resuming_lifts_what_holds_an_account_back(driver, held):
    driver.accept("polled")
    driver.start("polled", poll_in=0.0)
    driver.accept()
    HELD[held](driver)
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None
    driver.ledger.sleep_pump("main", slot=0, ticket=1, limit=64)
    assert driver.operations.resume("main")
    assert [wake.account for wake in driver.ledger.restart_pumps()] == ["main"], "its pump does not sleep on"
    assert [one for one, _ in driver.limits.unpark()] == ["r1"]
    assert driver.ledger.claim_submission("r1", lease=LEASE)
    assert not driver.operations.resume("main")


@pytest.mark.parametrize("key", ["failure", "refusals"])
def test_resuming_forgets_a_refused_token(driver, key):
    driver.redis.set(f"renderline:token:main:{key}", "1")
    assert driver.operations.resume("main")
    assert not driver.redis.exists(f"renderline:token:main:{key}")
