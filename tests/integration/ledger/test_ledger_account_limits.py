"""How fast an account may go: backoff, pauses, circuit and slots, kept where work is claimed."""

import pytest

from harness.ledger import GRACE, LEASE


def claimed(driver, one):
    claim = driver.ledger.claim_submission(one, lease=LEASE)
    return claim is not None


def unparked(driver):
    return [one for one, _ in driver.limits.unpark()]


def test_no_submission_while_the_vendor_wants_silence(driver):
    driver.accept()
    driver.limits.slow_down("main", seconds=10.0)
    assert not claimed(driver, "r1")
    assert (driver.state(), driver.record()["attempts"]) == ("accepted", 0)
    assert "wait" in driver.record()["note"]
    driver.check_indexes()
    driver.clock.forward(9.9)
    assert unparked(driver) == []
    assert not claimed(driver, "r1")
    driver.clock.forward(0.2)
    assert unparked(driver) == ["r1"]
    assert unparked(driver) == []
    assert claimed(driver, "r1")


def test_a_shorter_silence_does_not_end_a_longer_one(driver):
    driver.accept()
    driver.limits.slow_down("main", seconds=60.0)
    driver.limits.slow_down("main", seconds=1.0)
    driver.clock.forward(59.0)
    assert not claimed(driver, "r1")
    driver.clock.forward(1.1)
    assert claimed(driver, "r1")


def test_a_backoff_concerns_one_account(driver):
    driver.accept("a", account="one")
    driver.accept("b", account="two")
    driver.limits.slow_down("one", seconds=60.0)
    assert not claimed(driver, "a")
    assert claimed(driver, "b")


def test_no_poll_while_the_vendor_wants_silence(driver):
    driver.accept()
    wake = driver.start()
    driver.limits.slow_down("main", seconds=60.0)
    assert driver.claim_due_polls(wake) == []
    delay, ticket = driver.ledger.sleep_pump("main", slot=wake.slot, ticket=wake.ticket, limit=64)
    assert delay == pytest.approx(60.0 - wake.delay, abs=0.01)
    driver.clock.forward(delay)
    batch = driver.ledger.claim_due_polls("main", slot=wake.slot, ticket=ticket, limit=64, lease=LEASE)
    assert [due_poll.id for due_poll in batch.polls] == ["r1"]


def test_the_vendors_too_many_lowers_the_pace_for_a_while(driver):
    names = [f"r{index:02}" for index in range(60)]
    for one in names:
        driver.accept(one)
    assert sum(claimed(driver, one) for one in names[:20]) == 20, "no limit before the vendor named one"
    driver.limits.slow_down("main", seconds=1.0)
    driver.clock.forward(1.1)
    now = sum(claimed(driver, one) for one in names[20:])
    assert now < 40
    for _ in range(60):
        driver.clock.forward(1.0)
        for one in unparked(driver):
            now += claimed(driver, one)
    assert now == 40, "parked for ever"


def test_an_outage_is_probed_by_one_at_a_time(driver):
    for one in ("a", "b", "c"):
        driver.accept(one)
    driver.limits.call_failed("main", failures=1, pause=10.0)
    assert not any(claimed(driver, one) for one in "abc")
    driver.clock.forward(10.1)
    assert [one for one in "abc" if claimed(driver, one)] == ["a"]
    driver.limits.call_failed("main", failures=1, pause=10.0)
    assert not claimed(driver, "b")
    driver.clock.forward(LEASE + 0.1)
    assert claimed(driver, "b")
    driver.limits.call_answered("main")
    assert claimed(driver, "c")


def test_a_probe_without_an_answer_does_not_block_the_account(driver):
    driver.accept("a")
    driver.accept("b")
    driver.limits.call_failed("main", failures=1, pause=10.0)
    driver.clock.forward(10.1)
    assert claimed(driver, "a")  # its worker is killed
    driver.clock.forward(LEASE + 0.1)
    assert claimed(driver, "b")


def test_the_end_of_an_outage_does_not_end_the_vendors_silence_when_there_was_none(driver):
    driver.accept()
    driver.limits.slow_down("main", seconds=60.0)
    driver.limits.call_answered("main")
    assert not claimed(driver, "r1")


def test_a_paused_account_submits_nothing_until_it_is_resumed(driver):
    driver.accept()
    driver.operations.pause("main")
    assert not claimed(driver, "r1")
    assert driver.state() == "accepted"
    assert unparked(driver) == []
    driver.check_indexes()
    assert driver.operations.resume("main")
    assert unparked(driver) == ["r1"]
    assert claimed(driver, "r1")


def test_a_paused_account_is_followed_on(driver):
    driver.accept()
    wake = driver.start()
    driver.operations.pause("main")
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]


def test_a_render_keeps_its_slot_until_its_end(driver):
    driver.limits.set_slots({"main": 1})
    for one in "ab":
        driver.accept(one)
    wake = driver.start("a")
    assert not claimed(driver, "b")
    assert "1" in driver.record("b")["note"]
    driver.check_indexes("b")
    assert unparked(driver) == []
    (due_poll,) = driver.claim_due_polls(wake)
    assert unparked(driver) == []
    driver.record_result(due_poll, "failed", message="no")
    assert unparked(driver) == ["b"]
    assert unparked(driver) == []
    assert claimed(driver, "b")


def test_a_render_with_a_slot_needs_no_second_one(driver):
    driver.limits.set_slots({"main": 1})
    driver.accept()
    driver.claim()
    driver.clock.forward(LEASE + 1)
    assert claimed(driver, "r1"), "its worker died: the slot is its own"


def test_no_more_renders_at_once_than_slots(driver):
    driver.limits.set_slots({"main": 3})
    for index in range(10):
        driver.accept(f"r{index}")
    assert sum(claimed(driver, f"r{index}") for index in range(10)) == 3
    assert unparked(driver) == []
    driver.limits.set_slots({"main": None})
    assert len(unparked(driver)) == 7


def test_parked_renders_come_back_by_priority_and_age(driver):
    driver.limits.set_slots({"main": 1})
    driver.accept("running")
    assert claimed(driver, "running")
    for one, priority in (("n1", "normal"), ("low", "low"), ("n2", "normal"), ("high", "high")):
        driver.accept(one, priority=priority)
        driver.clock.forward(1)
    for one in ("n2", "low", "high", "n1"):
        assert not claimed(driver, one)
    driver.limits.set_slots({"main": 4})
    assert unparked(driver) == ["high", "n1", "n2"]
    driver.limits.set_slots({"main": None})
    assert unparked(driver) == ["low"]


@pytest.mark.parametrize("end", ["release", "fail", "cancel"])
def test_a_slot_is_given_back_when_nothing_was_started(driver, end):
    driver.limits.set_slots({"main": 1})
    driver.accept()
    driver.accept("next")
    claim = driver.claim()
    assert not claimed(driver, "next")
    if end == "release":
        driver.ledger.release(claim, retry_in=1.0, note="429")
    elif end == "fail":
        driver.ledger.fail("r1", code="", message="no", origin="vendor", fence=claim.fence)
    else:
        driver.operations.cancel("r1")
    assert claimed(driver, "next")


def test_a_render_that_ended_is_not_parked_any_more(driver):
    driver.operations.pause("main")
    driver.accept()
    assert not claimed(driver, "r1")
    driver.operations.cancel("r1")
    driver.operations.resume("main")
    assert unparked(driver) == []


def test_a_lost_message_of_an_unparked_render_is_sent_again(driver):
    driver.operations.pause("main")
    driver.accept()
    assert not claimed(driver, "r1")
    driver.operations.resume("main")
    assert unparked(driver) == ["r1"]
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.stalled() == [("r1", "accepted", "normal")]
