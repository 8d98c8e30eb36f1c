"""Plans with several paid stages, and plans that end with their submission."""

from __future__ import annotations

import pytest

from harness.ledger import LEASE
from renderline.ledger import ForeignProject

PART = (0.0, 50.0)


def generate(driver, *, confirmed=True, hooks=0):
    """Bring a render to its first paid stage, which shows the first half of the progress; return its due poll."""
    driver.accept(hooks=hooks)
    claim = driver.claim()
    assert driver.ledger.record_intent(claim, "generate", lease=LEASE)
    details = {"stage": "generate", "data": {"job": "j1"}, "shown": PART, "made": confirmed}
    recorded, wake = driver.ledger.start(
        claim, confirmed=confirmed, project_id="p-r1" if confirmed else None, poll_in=2.0, **details
    )
    assert recorded
    (due_poll,) = driver.claim_due_polls(wake)
    return due_poll


def test_a_followed_stage_leads_to_the_next_one(driver):
    due_poll = generate(driver)
    assert (due_poll.stage, due_poll.data, due_poll.project_id) == ("generate", {"job": "j1"}, "p-r1")
    deadline = driver.record()["deadline"]
    driver.record_result(due_poll, "wait", progress=40.0, poll_in=1.0)
    assert (driver.record()["progress"], driver.record()["stage"]) == (20, "generate")
    (due_poll,) = driver.claim_again()
    assert driver.record_result(due_poll, "next", progress=100.0, stage="baseline") == [("r1", "submitting")]
    driver.check_indexes()
    assert (driver.record()["progress"], driver.record()["stage"]) == (50, "baseline")

    claim = driver.claim()
    assert (claim.stage, claim.project_id, claim.intent, claim.data) == ("baseline", "p-r1", None, {"job": "j1"})
    assert driver.ledger.record_intent(claim, "baseline", lease=LEASE)
    assert driver.ledger.advance(claim, stage="export", baseline="{}", data={"seen": 1}, lease=LEASE)
    details = {"stage": "export", "shown": (50.0, 100.0), "made": True}
    recorded, wake = driver.ledger.start(claim, confirmed=True, project_id="p-r1", poll_in=2.0, **details)
    assert recorded
    (due_poll,) = driver.claim_due_polls(wake)
    assert (due_poll.stage, due_poll.data, due_poll.baseline) == ("export", {"job": "j1", "seen": 1}, "{}")
    driver.record_result(due_poll, "wait", progress=50.0, poll_in=1.0)
    assert driver.record()["progress"] == 75
    assert driver.record()["deadline"] == deadline, "a later stage has no deadline of its own"
    (due_poll,) = driver.claim_again()
    driver.record_result(due_poll, "done", url="https://v/1.mp4")
    assert (driver.state(), driver.record()["progress"]) == ("delivered", 100)
    driver.check_indexes()


def test_the_events_show_the_progress_of_the_whole_plan(driver):
    due_poll = generate(driver)
    driver.record_result(due_poll, "wait", progress=40.0, poll_in=1.0)
    (due_poll,) = driver.claim_again()
    driver.record_result(due_poll, "next", progress=100.0, stage="baseline")
    shown = [fields["progress"] for _, fields in driver.redis.xrange(f"{driver.ledger.prefix}events")]
    assert [float(one or 0) for one in shown] == sorted(float(one or 0) for one in shown)
    assert shown[-1] == "50"


def test_a_render_keeps_its_slot_between_two_stages(driver):
    driver.limits.set_slots({"main": 1})
    due_poll = generate(driver)
    slots = f"{driver.ledger.prefix}slots:main"
    driver.record_result(due_poll, "next", progress=100.0, stage="baseline")
    assert driver.redis.smembers(slots) == {"r1"}


def test_a_late_answer_to_an_earlier_stage_changes_nothing(driver):
    due_poll = generate(driver)
    driver.record_result(due_poll, "next", progress=100.0, stage="baseline")
    assert driver.record_result(due_poll, "next", progress=100.0, stage="baseline") == []
    assert driver.record_result(due_poll, "failed", code="x", message="late") == []
    assert driver.state() == "submitting"


def test_a_retry_keeps_what_the_earlier_paid_stage_made(driver):
    due_poll = generate(driver)
    driver.record_result(due_poll, "next", progress=100.0, stage="baseline")
    assert driver.ledger.fail("r1", code="c", message="m", origin="vendor")
    assert driver.operations.retry("r1", resume_at=lambda _record: "baseline") == "due"
    claim = driver.claim()
    assert (claim.attempt, claim.stage, claim.project_id, claim.data) == (2, "baseline", "p-r1", {"job": "j1"})
    assert driver.ledger.record_intent(claim, "baseline", lease=LEASE)
    assert driver.ledger.advance(claim, stage="export", project_id="p-r1", baseline="{}", made=True)


def test_a_retry_from_the_beginning_forgets_the_stages(driver):
    due_poll = generate(driver)
    driver.record_result(due_poll, "failed", code="c", message="m")
    assert driver.operations.retry("r1") == "due"
    claim = driver.claim()
    assert (claim.stage, claim.project_id, claim.data) == ("", None, {})
    assert driver.record()["progress"] == 0


def test_resubmitting_repeats_the_stage_whose_outcome_is_unknown(driver):
    generate(driver, confirmed=False)
    assert driver.operations.resubmit("r1") == "due"
    assert driver.claim().stage == "generate"


@pytest.mark.parametrize("hooks", [0, 1])
@pytest.mark.parametrize("url", [None, "https://v/1.mp3"])
def test_a_plan_may_end_with_its_submission(driver, hooks, url):
    driver.accept(hooks=hooks)
    claim = driver.claim()
    assert driver.ledger.record_intent(claim, "speak", lease=LEASE)
    assert driver.ledger.complete(claim, stage="speak", url=url, project_id="p1", made=True)
    record = driver.record()
    assert (record["state"], record["progress"]) == ("completed" if hooks else "delivered", 100)
    assert (record["download_url"], record["project_id"]) == (url, "p1")
    assert "rendering" not in record["times"]
    driver.check_indexes()
    assert not driver.ledger.complete(claim, stage="speak", url="https://v/2.mp3"), "it has ended"


def test_a_lost_claim_completes_nothing(driver):
    driver.accept()
    claim = driver.claim()
    driver.clock.forward(2 * LEASE)
    driver.claim()
    assert not driver.ledger.complete(claim, stage="draft", project_id="p1", made=True)
    assert driver.state() == "submitting"


def test_a_draft_of_another_render_completes_nothing(driver):
    driver.accept()
    assert driver.ledger.complete(driver.claim(), stage="draft", project_id="p1", made=True)
    driver.accept("r2")
    with pytest.raises(ForeignProject):
        driver.ledger.complete(driver.claim("r2"), stage="draft", project_id="p1", made=True)
    assert driver.state("r2") == "submitting"


def test_outputs_are_shown_and_keep_where_they_are_stored(driver):
    driver.start_all("r1")
    (due_poll,) = driver.claim_again()
    rows = [
        {"language": "ko-KR", "project_id": "k", "state": "rendering", "progress": 10.0},
        {"language": "de-DE", "project_id": "d", "state": "completed", "progress": 100.0, "download_url": "https://d"},
    ]
    driver.record_result(due_poll, "wait", progress=55.0, poll_in=1.0, outputs=rows)
    shown = driver.record()["outputs"]
    assert [one["language"] for one in shown] == ["ko-KR", "de-DE"]
    assert shown[1] == {**rows[1], "stored_url": None, "error": None}
    assert driver.record()["download_url"] is None


def test_a_free_stage_that_is_put_off_keeps_the_slot_of_what_was_paid_for(driver):
    driver.limits.set_slots({"main": 1})
    due_poll = generate(driver)
    driver.record_result(due_poll, "next", progress=100.0, stage="baseline")
    claim = driver.claim()
    driver.accept("r2")
    assert driver.ledger.record_intent(claim, "baseline", lease=LEASE)
    assert driver.ledger.release(claim, retry_in=1.0, note="status 503")
    assert driver.ledger.claim_submission("r2", lease=LEASE) is None, "others would take its turn until its deadline"
    assert driver.claim()
