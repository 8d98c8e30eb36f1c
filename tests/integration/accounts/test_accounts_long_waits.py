"""A wait that the vendor asks for has an end: it is capped, deadlines hold meanwhile, and an operator can lift it."""

from __future__ import annotations

import pytest

from harness.ledger import GRACE
from renderline.ledger import Commands
from renderline.renders import FINAL
from renderline.submission.outcome import NotMyTurn, Parked, Submitted

CREATE = "POST /api/odin/v3/editor/project"
PROGRESS = "GET /api/odin/v3/editor/progress/{key}"
DECADES = 1.8e9
PROJECT = {
    "kind": "project",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}


@pytest.mark.parametrize("call", [CREATE, PROGRESS])
def test_an_epoch_time_in_retry_after_does_not_freeze_an_account(local_worker, call):
    local_worker.sandbox.control("POST", "faults", call=call, fault="429", seconds=DECADES, times=1)
    local_worker.accept(PROJECT, "r1")
    outcome = local_worker.submit("r1")
    if call == PROGRESS:
        local_worker._pump(local_worker.wakes.pop())
    else:
        assert isinstance(outcome, Parked)
    assert 0 < local_worker.redis.pttl("renderline:backoff:main") <= 300_000
    assert local_worker.record("r1")["state"] not in FINAL


def test_a_submission_put_off_by_the_vendor_goes_on_when_the_account_is_resumed(local_worker):
    local_worker.sandbox.control("POST", "faults", call=CREATE, fault="429", seconds=200, times=1)
    local_worker.accept(PROJECT, "r1")
    assert isinstance(local_worker.submit("r1"), Parked)
    assert local_worker.limits.unpark() == []
    assert isinstance(local_worker.submit("r1"), NotMyTurn)
    assert Commands(local_worker.ledger).resume("main")
    local_worker.redis.delete("renderline:rate_limit:main")
    assert [one for one, _ in local_worker.limits.unpark()] == ["r1"]
    assert isinstance(local_worker.submit("r1"), Submitted)


def test_the_ledger_caps_a_backoff_again(driver):
    driver.limits.slow_down("main", seconds=DECADES)
    assert 0 < driver.redis.pttl("renderline:backoff:main") <= 3600_000


def test_a_render_of_an_account_in_backoff_expires_on_time(driver):
    """No poll comes that could find it late."""
    driver.accept(deadline=600.0)
    driver.start()
    driver.limits.slow_down("main", seconds=3000.0)
    driver.clock.forward(601.0)
    expired, (wake,) = driver.ledger.overdue()
    assert expired == []
    assert driver.claim_due_polls(wake) == []
    driver.clock.forward(GRACE - 1)
    assert driver.ledger.overdue()[0] == [], "the wait may end within the grace"
    driver.clock.forward(2.0)
    assert driver.ledger.overdue()[0] == ["r1"]
    assert driver.record()["error"]["code"] == "deadline"
    driver.check_indexes()


def test_a_render_of_an_account_in_an_outage_is_not_given_up_unseen(driver):
    """It may be finished, and is paid for."""
    driver.accept(deadline=600.0)
    driver.start()
    driver.limits.call_failed("main", failures=1, pause=1e6)
    for _ in range(3):
        driver.clock.forward(601.0)
        assert driver.ledger.overdue()[0] == []
    assert driver.state() == "rendering"


def test_resume_lets_polls_go_on_at_once(driver):
    driver.accept()
    wake = driver.start()
    driver.limits.slow_down("main", seconds=300.0)
    assert driver.claim_due_polls(wake) == []
    driver.ledger.sleep_pump("main", slot=wake.slot, ticket=wake.ticket, limit=9)
    assert driver.ledger.restart_pumps() == []
    assert driver.operations.resume("main")
    (wake,) = driver.ledger.restart_pumps()
    assert wake.delay == 0.0
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]
