"""The answer to a paid call comes after another worker has taken over: it settles what nobody else can know."""

from __future__ import annotations

import pytest

from harness.ledger import LEASE


def taken_over(driver, *, stage="generate"):
    """Announce a paid call whose holder is stopped; another worker finds it. Return the claim of the stopped one."""
    driver.accept(hooks=0)
    stopped = driver.claim()
    assert driver.ledger.record_intent(stopped, stage, lease=LEASE)
    driver.clock.forward(2 * LEASE)
    recorded, _ = driver.ledger.start(driver.claim(), confirmed=False, project_id=None, poll_in=2.0, stage=stage)
    assert recorded
    assert driver.state() == "unconfirmed"
    return stopped


def answered(driver, claim, *, confirmed=True, project="p1"):
    """Record the answer as the worker does that made the call."""
    details = {"stage": "generate", "data": {"job": "j1"}, "shown": (0.0, 50.0), "made": True}
    recorded, _ = driver.ledger.start(claim, confirmed=confirmed, project_id=project, poll_in=2.0, **details)
    return recorded


def test_a_late_answer_names_the_project_that_nobody_could_find(driver):
    stopped = taken_over(driver)
    deadline = driver.record()["deadline"]
    assert answered(driver, stopped)
    record = driver.record()
    assert (record["state"], record["project_id"], record["deadline"]) == ("rendering", "p1", deadline)
    driver.check_indexes()
    (due_poll,) = driver.claim_again()
    assert (due_poll.state, due_poll.stage, due_poll.data) == ("rendering", "generate", {"job": "j1"})
    assert not answered(driver, stopped), "it was recorded already"


def test_a_late_answer_that_holds_the_file_completes_the_render(driver):
    stopped = taken_over(driver, stage="create")
    assert driver.ledger.complete(stopped, stage="create", url="https://v/1.mp3")
    assert (driver.state(), driver.record()["download_url"]) == ("delivered", "https://v/1.mp3")
    driver.check_indexes()


def test_the_result_of_a_poll_from_before_the_answer_changes_nothing(driver):
    stopped = taken_over(driver)
    (before,) = driver.claim_again()
    assert answered(driver, stopped)
    assert driver.record_result(before, "resubmit") == []
    assert driver.state() == "rendering"


def test_an_answer_that_tells_nothing_changes_nothing(driver):
    stopped = taken_over(driver)
    assert not answered(driver, stopped, confirmed=False)
    assert driver.state() == "unconfirmed"


def test_the_project_of_another_render_settles_nothing(driver):
    driver.accept("r2", hooks=0)
    assert driver.ledger.complete(driver.claim("r2"), stage="draft", project_id="p1", made=True)
    stopped = taken_over(driver)
    assert not answered(driver, stopped)
    assert (driver.state(), driver.record()["project_id"]) == ("unconfirmed", None)


@pytest.mark.parametrize("then", ["resubmitted", "called again", "adopted", "canceled", "failed", "revoking"])
def test_what_somebody_decided_meanwhile_stays(driver, then):
    stopped = taken_over(driver)
    if then in ("resubmitted", "called again"):
        driver.operations.resubmit("r1")
    if then == "called again":
        again = driver.claim()
        assert driver.ledger.record_intent(again, "generate", lease=LEASE)
        driver.ledger.start(again, confirmed=False, project_id=None, poll_in=2.0, stage="generate")
        assert driver.state() == "unconfirmed"
    if then == "adopted":
        driver.operations.adopt("r1", "p2")
    if then == "canceled":
        driver.operations.cancel("r1")
    if then == "failed":
        driver.ledger.fail("r1", code="1", message="no", origin="renderline")
    if then == "revoking":
        driver.redis.hset("renderline:render:r1", "revoking", "p2")
    state = driver.state()
    assert not answered(driver, stopped)
    assert not driver.ledger.complete(stopped, stage="generate", url="https://v/1.mp3")
    assert (driver.state(), driver.record()["project_id"]) == (state, "p2" if then == "adopted" else None)
