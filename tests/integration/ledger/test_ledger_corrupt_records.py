"""An unreadable record is quarantined with its id; the other renders go on."""

from __future__ import annotations

from typing import Any

import pytest
from redis import ResponseError

from renderline.ledger import DuePoll, Filter, PollResult, Queries
from renderline.ledger.quarantine import Quarantine

NEIGHBOURS = [f"n{number}" for number in range(5)]
KEY = "renderline:render:bad"


def spoil(driver: Any, how: str) -> None:
    """Make the record of `bad` unreadable: a field lost or of nonsense, or another type of value in its place."""
    what, _, name = how.partition(" ")
    if what == "lost":
        driver.redis.hdel(KEY, name)
    elif what == "nonsense":
        driver.redis.hset(KEY, name, "nonsense")
    else:
        driver.redis.delete(KEY)
        driver.redis.set(KEY, "no hash")


def set_aside(driver: Any) -> set[str | None]:
    return {one.render_id for one in Quarantine(driver.redis).entries()}


UNREADABLE = [
    "lost deadline_at",
    "lost t:rendering",
    "nonsense epoch",
    "nonsense deadline_at",
    "nonsense polls",
    "type",
]


@pytest.mark.parametrize("how", [*UNREADABLE, "type"])
def test_a_corrupt_record_does_not_stop_the_polls_of_its_account(driver: Any, how: str) -> None:
    wake = driver.start_all("bad", *NEIGHBOURS)
    spoil(driver, how)
    due_polls = driver.claim_due_polls(wake)
    assert sorted(due_poll.id for due_poll in due_polls) == NEIGHBOURS
    moved = driver.ledger.record_poll_results([_done(due_poll) for due_poll in due_polls])
    assert sorted(one for one, _ in moved) == NEIGHBOURS
    assert set_aside(driver) == {"bad"}
    assert driver.score_in("due:main", "bad") is None
    assert driver.redis.xlen("renderline:quarantine") == 1, "said once"


def test_a_record_that_breaks_between_poll_and_finding_does_not_take_its_batch_along(driver: Any) -> None:
    due_polls = driver.claim_due_polls(driver.start_all("bad", *NEIGHBOURS))
    spoil(driver, "type")
    moved = driver.ledger.record_poll_results([_done(due_poll) for due_poll in due_polls])
    assert sorted(one for one, _ in moved) == NEIGHBOURS
    assert set_aside(driver) == {"bad"}


@pytest.mark.parametrize("how", ["type", "lost deadline", "nonsense deadline", "nonsense hooks", "lost hooks"])
def test_a_corrupt_record_does_not_keep_others_from_expiring(driver: Any, how: str) -> None:
    driver.claim_due_polls(driver.start_all("bad", *NEIGHBOURS))
    spoil(driver, how)
    driver.clock.forward(601)
    for wake in driver.ledger.overdue()[1]:
        driver.claim_due_polls(wake)
    driver.clock.forward(31)
    expired, _ = driver.ledger.overdue()
    assert set(NEIGHBOURS) <= set(expired)
    assert driver.score_in("deadline", "bad") is None


def test_a_corrupt_record_does_not_keep_the_sweep_from_others(driver: Any) -> None:
    for one in ("bad", *NEIGHBOURS):
        driver.accept(one)
    spoil(driver, "type")
    driver.clock.forward(31)
    assert sorted(one for one, _, _ in driver.ledger.stalled()) == NEIGHBOURS
    assert set_aside(driver) == {"bad"}


def test_a_stalled_record_without_a_priority_is_sent_again_as_a_normal_one(driver: Any) -> None:
    driver.accept("bad")
    spoil(driver, "lost priority")
    driver.clock.forward(31)
    assert driver.ledger.stalled() == [("bad", "accepted", "normal")]


def test_a_corrupt_record_does_not_keep_parked_ones_waiting(driver: Any) -> None:
    driver.operations.pause("main")
    for one in ("bad", *NEIGHBOURS):
        driver.accept(one)
        assert driver.ledger.claim_submission(one, lease=20.0) is None
    spoil(driver, "type")
    driver.operations.resume("main")
    assert sorted(one for one, _ in driver.limits.unpark()) == NEIGHBOURS
    assert set_aside(driver) == {"bad"}


@pytest.mark.parametrize("how", ["type", "nonsense hooks"])
def test_a_corrupt_record_does_not_keep_finished_ones_from_being_dropped(driver: Any, how: str) -> None:
    for one in ("bad", *NEIGHBOURS):
        driver.accept(one)
        driver.operations.cancel(one)
    spoil(driver, how)
    driver.clock.forward(100)
    driver.ledger.forget(retention=50)
    assert driver.ledger.records(NEIGHBOURS) == [None] * 5


@pytest.mark.parametrize("how", ["lost deadline", "lost stage", "lost kind", "nonsense failures"])
def test_a_corrupt_record_that_is_to_be_submitted_is_set_aside_once(driver: Any, how: str) -> None:
    driver.accept("bad")
    spoil(driver, how)
    assert driver.ledger.claim_submission("bad", lease=20.0) is None
    assert set_aside(driver) == {"bad"}
    driver.clock.forward(10_000)
    assert driver.ledger.stalled() == []


@pytest.mark.parametrize(
    "how", ["lost kind", "nonsense progress", "nonsense h0:attempts", "nonsense deadline_at", "type"]
)
def test_a_corrupt_record_is_listed_and_hides_no_other(driver: Any, how: str) -> None:
    for one in ("bad", *NEIGHBOURS):
        driver.accept(one, hooks=1)
    spoil(driver, how)
    page, _ = Queries(driver.ledger).page(Filter())
    found = {record["id"]: record for record in page}
    assert set(found) == {"bad", *NEIGHBOURS}
    assert found["bad"]["error"]["code"] == "unreadable_record"
    assert found["bad"].keys() == found["n0"].keys()


def test_a_record_with_invalid_fixed_data_hides_no_other(driver: Any) -> None:
    for one in ("bad", "n0"):
        driver.accept(one, hooks=1)
    driver.redis.set("renderline:meta:bad", "{half")
    bad, good = driver.ledger.records(["bad", "n0"])
    assert (bad["error"]["code"], good["error"]) == ("unreadable_record", None)


@pytest.mark.parametrize("how", ["type", "nonsense hooks"])
def test_a_corrupt_record_keeps_no_hook_of_others_back(driver: Any, how: str) -> None:
    for one in ("bad", "n0"):
        driver.complete(one)
    spoil(driver, how)
    assert driver.ledger.queue_hooks(["bad", "n0"]) == (("n0", 0),)


def test_a_hook_of_a_record_that_cannot_be_read_is_not_tried_for_ever(driver: Any) -> None:
    driver.complete("bad")
    driver.redis.set("renderline:meta:bad", "{half")
    assert driver.ledger.claim_hook("bad", 0, lease=20.0).status == "over"
    assert set_aside(driver) == {"bad"}


def test_a_server_that_takes_no_writes_has_no_record_set_aside(driver: Any) -> None:
    for one in NEIGHBOURS:
        driver.accept(one)
    driver.clock.forward(31)
    driver.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(ResponseError, match="maxmemory"):
            driver.ledger.stalled()
    finally:
        driver.redis.config_set("maxmemory", 0)
    assert set_aside(driver) == set()
    assert sorted(one for one, _, _ in driver.ledger.stalled()) == NEIGHBOURS


def _done(due_poll: DuePoll) -> PollResult:
    return PollResult(due_poll.id, due_poll.epoch, "done", url="https://v/1.mp4")
