"""A render past its deadline gets one more poll and then expires."""

from harness.ledger import GRACE, LEASE


def test_a_render_past_its_deadline_gets_one_more_poll_and_then_expires(driver):
    driver.accept(hooks=1, deadline=600.0)
    wake = driver.start(poll_in=2.0)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "wait", poll_in=5000.0, progress=55.0)
    driver.ledger.sleep_pump("main", slot=0, ticket=wake.ticket, limit=9)
    driver.clock.forward(597.0)
    assert driver.ledger.overdue() == ([], [])
    driver.clock.forward(2.0)
    expired, (wake,) = driver.ledger.overdue()
    assert expired == []
    assert wake.delay == 0.0
    assert driver.ledger.overdue() == ([], []), "the poll is under way: nothing to wake twice"
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "error", poll_in=30.0, message="the vendor does not answer")
    driver.clock.forward(GRACE)
    assert driver.ledger.overdue() == ([], []), "one failed poll just after the deadline is not the last word"
    (due_poll,) = driver.claim_due_polls(driver.ledger.restart_pumps()[0])
    driver.record_result(due_poll, "error", poll_in=30.0, message="still no answer")
    driver.clock.forward(0.01)
    assert driver.ledger.overdue() == (["r1"], [])
    record = driver.record()
    assert (record["state"], record["progress"]) == ("expired", 55)
    assert record["error"] == {
        "code": "deadline",
        "message": "not ready within 600 s of its submission; the last poll failed: still no answer",
        "origin": "renderline",
    }
    driver.check_indexes()
    assert driver.ledger.overdue() == ([], [])


def test_the_overdue_poll_can_still_find_it_done(driver):
    driver.accept(deadline=10.0)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "wait", poll_in=5000.0)
    driver.clock.forward(100.0)
    _, wakes = driver.ledger.overdue()
    (due_poll,) = driver.claim_due_polls((wakes or driver.ledger.restart_pumps())[0])
    assert driver.record_result(due_poll, "done", url="https://v/1.mp4") == [("r1", "delivered")]
    assert driver.ledger.overdue() == ([], [])


def test_an_outage_of_ours_that_outlasts_the_deadline_expires_nothing_that_is_ready(driver):
    """All workers were down: the first poll afterwards must be over before anything is given up."""
    driver.accept(deadline=600.0)
    driver.start()
    driver.clock.forward(86_400.0)
    _, (wake,) = driver.ledger.overdue()
    (due_poll,) = driver.claim_due_polls(wake)
    assert driver.ledger.overdue() == ([], []), "given up while the poll is under way"
    assert driver.record_result(due_poll, "done", url="https://v/1.mp4") == [("r1", "delivered")]


def test_an_unconfirmed_render_expires_too(driver):
    driver.accept(deadline=10.0)
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    driver.record_result(due_poll, "error", poll_in=1.0, message="away")
    (due_poll,) = driver.claim_again(10.0 + GRACE)
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.overdue() == (["r1"], [])
    assert driver.state() == "expired"
    driver.check_indexes()


def test_a_second_submission_has_a_deadline_of_its_own(driver):
    driver.accept(deadline=10.0)
    (due_poll,) = driver.claim_due_polls(driver.start(confirmed=False))
    driver.record_result(due_poll, "error", poll_in=1.0, message="away")
    (due_poll,) = driver.claim_again(10.0 + GRACE)
    assert driver.record_result(due_poll, "resubmit") == [("r1", "submitting")]
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.overdue() == ([], [])
    claim = driver.claim()
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    driver.ledger.start(claim, confirmed=True, project_id="p1", poll_in=1.0)
    assert driver.score_in("deadline") == driver.clock.now + 10.0
    assert driver.ledger.overdue() == ([], [])
    driver.check_indexes()


def test_a_render_that_nobody_polls_does_not_expire(driver):
    """No worker serves the poll queue: it may well be ready at the vendor."""
    driver.accept(deadline=10.0)
    driver.start()
    for _ in range(5):
        driver.clock.forward(GRACE + 1)
        assert driver.ledger.overdue()[0] == []
    assert driver.state() == "rendering"
