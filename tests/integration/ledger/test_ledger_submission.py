"""Accepting a render and claiming its submission: once, fenced, and never forgotten."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.ledger import GRACE, LEASE
from renderline.ledger import KeyConflict


def test_a_request_is_recorded_once(driver):
    assert driver.accept() is True
    assert driver.accept() is False
    with pytest.raises(KeyConflict, match="r1"):
        driver.accept(fingerprint="f2")
    record = driver.record()
    assert (record["state"], record["name"], record["account"]) == ("accepted", "Render r1", "main")
    assert record["metadata"] == {"order": "r1"}
    assert list(record["times"]) == ["accepted"]
    driver.check_indexes()


def test_a_known_request_stays_known_after_it_moved_on(driver):
    driver.accept()
    driver.start()
    assert driver.accept() is False
    assert driver.state() == "rendering"
    with pytest.raises(KeyConflict):
        driver.accept(fingerprint="f2")


def test_twenty_doors_at_once_make_one_render(driver):
    ready = threading.Barrier(20)

    def enter(index):
        ready.wait()
        try:
            return driver.accept(fingerprint="odd" if index % 2 else "even")
        except KeyConflict:
            return "conflict"

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(enter, range(20)))
    assert answers.count(True) == 1
    assert answers.count(False) == 9
    assert answers.count("conflict") == 10
    assert driver.redis.zcard("renderline:renders") == 1


def test_twenty_workers_at_once_make_one_submission(driver):
    driver.accept()
    ready = threading.Barrier(20)

    def begin(_):
        ready.wait()
        return driver.ledger.claim_submission("r1", lease=LEASE)

    with ThreadPoolExecutor(20) as pool:
        claims = [claim for claim in pool.map(begin, range(20)) if claim]
    assert len(claims) == 1
    assert driver.record()["attempts"] == 1


def test_what_a_claim_carries(driver):
    driver.accept()
    claim = driver.claim()
    assert (claim.id, claim.kind, claim.account, claim.attempts, claim.stage) == ("r1", "project", "main", 1, "")
    assert (claim.intent, claim.project_id, claim.baseline) == (None, None, None)
    assert (claim.name, claim.body) == ("Render r1", '{"scenes":[]}')
    assert driver.state() == "submitting"
    driver.check_indexes()


def test_a_claim_ends_with_its_lease_and_the_next_one_has_a_new_fence(driver):
    driver.accept()
    first = driver.claim()
    driver.clock.forward(LEASE - 0.01)
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None
    driver.clock.forward(0.02)
    second = driver.claim()
    assert second.fence != first.fence
    assert second.attempts == 2


def test_an_intent_renews_the_lease(driver):
    driver.accept()
    claim = driver.claim()
    driver.clock.forward(LEASE - 1)
    assert driver.ledger.record_intent(claim, "draft", lease=LEASE)
    driver.clock.forward(LEASE - 1)
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None


def test_an_old_fence_changes_nothing(driver):
    driver.accept()
    old = driver.claim()
    driver.clock.forward(LEASE + 1)
    new = driver.claim()
    assert driver.ledger.record_intent(new, "draft", lease=LEASE)
    before = driver.redis.hgetall("renderline:render:r1")
    woken = driver.score_in("resend")

    assert driver.ledger.record_intent(old, "export", lease=99.0) is False
    assert driver.ledger.advance(old, stage="export", project_id="stolen", baseline="{}") is False
    assert driver.ledger.start(old, confirmed=True, project_id="stolen", poll_in=1.0) == (False, None)
    assert driver.ledger.start(old, confirmed=False, project_id="stolen", poll_in=1.0) == (False, None)
    assert driver.ledger.release(old, retry_in=1.0, note="stolen") is False
    assert driver.ledger.fail("r1", code="x", message="stolen", origin="vendor", fence=old.fence) is False

    assert driver.redis.hgetall("renderline:render:r1") == before
    assert driver.score_in("resend") == woken
    assert driver.score_in("due:main") is None
    assert driver.redis.smembers("renderline:slots:main") == {"r1"}
    assert driver.ledger.advance(new, stage="export", project_id="p1")


def test_a_claim_is_over_once_the_render_moved_on(driver):
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    assert driver.ledger.start(claim, confirmed=True, project_id="p1", poll_in=2.0)[0]
    assert driver.ledger.start(claim, confirmed=True, project_id="p2", poll_in=2.0) == (False, None)
    assert driver.ledger.release(claim, retry_in=0.0, note="x") is False
    assert driver.ledger.record_intent(claim, "export", lease=LEASE) is False
    assert driver.record()["project_id"] == "p1"
    assert driver.ledger.claim_submission("r1", lease=LEASE) is None


def test_the_next_holder_sees_an_announced_call_without_an_outcome(driver):
    driver.accept()
    driver.ledger.record_intent(driver.claim(), "export", lease=LEASE)
    driver.clock.forward(LEASE + 1)
    assert driver.claim().intent == "export"


def test_an_accounted_call_leaves_no_intent(driver):
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "draft", lease=LEASE)
    driver.ledger.advance(claim, stage="export", project_id="p1", baseline='{"task": null}')
    driver.clock.forward(LEASE + 1)
    after = driver.claim()
    assert (after.intent, after.stage, after.project_id, after.baseline) == (None, "export", "p1", '{"task": null}')


def test_a_released_claim_can_be_taken_at_once(driver):
    driver.accept()
    claim = driver.claim()
    driver.ledger.record_intent(claim, "draft", lease=LEASE)
    assert driver.ledger.release(claim, retry_in=5.0, note="no answer")
    assert driver.record()["note"] == "no answer"
    assert driver.score_in("resend") == driver.clock.now + 5.0 + GRACE
    driver.check_indexes()
    assert driver.claim().attempts == 2


def test_a_released_intent_is_kept_only_when_asked(driver):
    for one, keep, intent in (("a", False, None), ("b", True, "draft")):
        driver.accept(one)
        claim = driver.claim(one)
        driver.ledger.record_intent(claim, "draft", lease=LEASE)
        driver.ledger.release(claim, retry_in=5.0, note="no answer", keep_intent=keep)
        assert driver.claim(one).intent == intent


def test_starting_schedules_the_first_look_and_the_deadline(driver):
    driver.accept(deadline=600.0)
    claim = driver.claim()
    driver.ledger.record_intent(claim, "export", lease=LEASE)
    driver.clock.forward(4.0)
    recorded, wake = driver.ledger.start(claim, confirmed=True, project_id="p1", poll_in=2.5)
    assert recorded
    assert wake == ("main", 0, 1, 2.5)
    assert driver.score_in("due:main") == driver.clock.now + 2.5
    # Counted from the call that costs, not from its answer.
    assert driver.score_in("deadline") == driver.clock.now - 4.0 + 600.0
    assert driver.record()["deadline"] is not None
    assert driver.score_in("resend") is None
    driver.check_indexes()


def test_only_one_pump_is_woken_for_many_renders(driver):
    wakes = []
    for index in range(5):
        driver.accept(f"r{index}")
        wakes.append(driver.start(f"r{index}"))
    assert [wake is not None for wake in wakes] == [True, False, False, False, False]


def test_an_earlier_look_than_the_sleeping_pump_gets_a_new_ticket(driver):
    driver.accept("a")
    driver.accept("b")
    late = driver.start("a", poll_in=30.0)
    soon = driver.start("b", poll_in=1.0)
    assert (soon.slot, soon.delay) == (late.slot, 1.0)
    assert soon.ticket == late.ticket + 1
    assert driver.ledger.claim_due_polls("main", slot=late.slot, ticket=late.ticket, limit=9, lease=LEASE) is None


def test_what_stood_still_is_sent_again_less_and_less_often(driver):
    driver.accept()
    gaps, last = [], driver.clock.now
    while len(gaps) < 8:
        driver.clock.forward(1.0)
        if driver.ledger.stalled():
            gaps.append(driver.clock.now - last)
            last = driver.clock.now
    assert gaps == [GRACE, 2 * GRACE, 4 * GRACE, 8 * GRACE, 16 * GRACE, 32 * GRACE, 32 * GRACE, 32 * GRACE]


def test_the_sweep_is_told_what_to_send(driver):
    driver.accept("a", priority="high")
    driver.accept("b")
    driver.claim("b")
    driver.complete("c")
    driver.clock.forward(3600)
    assert sorted(driver.ledger.stalled()) == [
        ("a", "accepted", "high"),
        ("b", "submitting", "normal"),
        ("c", "completed", "normal"),
    ]


def test_moving_on_starts_the_doubling_anew(driver):
    driver.accept()
    for _ in range(4):
        driver.clock.forward(1000)
        assert driver.ledger.stalled()
    driver.ledger.release(driver.claim(), retry_in=0.0, note="")
    driver.clock.forward(GRACE)
    assert driver.ledger.stalled()
    driver.clock.forward(2 * GRACE)
    assert driver.ledger.stalled()


def test_a_held_claim_is_not_sent_again_while_its_lease_lasts(driver):
    driver.accept()
    driver.claim()
    driver.clock.forward(LEASE)
    assert driver.ledger.stalled() == []
    driver.clock.forward(2)
    assert driver.ledger.stalled() == [("r1", "submitting", "normal")]
