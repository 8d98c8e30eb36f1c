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
