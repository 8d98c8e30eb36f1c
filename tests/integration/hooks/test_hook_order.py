"""Which hooks wait for which: one that fails holds up only those that tell its outcome, and these not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver


def claimed(driver: LedgerDriver, index: int) -> Any:
    return driver.ledger.claim_hook("r1", index, lease=LEASE)


def fail(driver: LedgerDriver, index: int, *, retry_in: float) -> list[int]:
    """Let one try fail; returns the hooks that are sent upon that."""
    claim = claimed(driver, index)
    assert claim.status == "yours"
    following: list[tuple[str, int]] = []
    driver.ledger.record_hook(
        "r1", index, claim, outcome="retrying", retry_in=retry_in, error="away", following=following.extend
    )
    return [index for _, index in following]


def sent(driver: LedgerDriver) -> list[int]:
    return [index for _, index in driver.ledger.queue_hooks(["r1"])]


def test_a_failing_endpoint_does_not_hold_up_the_download(driver: LedgerDriver) -> None:
    driver.complete(hooks=("http", "download"))
    assert sent(driver) == [0, 1], "both at once"
    fail(driver, 0, retry_in=3600.0)
    assert claimed(driver, 1).status == "yours"


def test_a_failing_endpoint_does_not_hold_up_another_one(driver: LedgerDriver) -> None:
    driver.complete(hooks=("http", "http", "celery"))
    assert sent(driver) == [0, 1, 2]
    fail(driver, 0, retry_in=3600.0)
    assert (claimed(driver, 1).status, claimed(driver, 2).status) == ("yours", "yours")


def test_an_announcement_waits_for_the_download_before_it(driver: LedgerDriver) -> None:
    driver.complete(hooks=("download", "http"))
    assert sent(driver) == [0]
    assert claimed(driver, 1).status == "early"
    claim, following = claimed(driver, 0), []
    fields = {"stored_url": "file:///v/r1.mp4"}
    driver.ledger.record_hook("r1", 0, claim, outcome="delivered", fields=fields, following=following.extend)
    assert following == [("r1", 1)], "sent as soon as the download is there"
    assert claimed(driver, 1).record["stored_url"] == "file:///v/r1.mp4"


def test_it_waits_no_longer_once_the_download_is_retried_much_later(driver: LedgerDriver) -> None:
    driver.complete(hooks=("download", "http"))
    fail(driver, 0, retry_in=30.0)
    assert claimed(driver, 1).status == "early"
    driver.clock.forward(30.0)
    assert fail(driver, 0, retry_in=600.0) == [1]
    assert claimed(driver, 1).status == "yours"
    driver.clock.forward(600.0)
    assert claimed(driver, 0).status == "yours"


def test_it_waits_no_longer_than_a_quarter_of_an_hour_for_a_download_that_nobody_tries(driver: LedgerDriver) -> None:
    driver.complete(hooks=("download", "http"))
    driver.ledger.queue_hooks(["r1"])
    driver.clock.forward(901.0)
    assert claimed(driver, 1).status == "yours"


def test_a_long_wait_stands_in_the_ledger_and_outlives_the_retention(driver: LedgerDriver) -> None:
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="no")
    fail(driver, 0, retry_in=14_400.0)
    driver.clock.forward(14_000.0)
    assert driver.ledger.stalled() == []
    assert driver.ledger.forget(retention=100.0) == 0
    driver.clock.forward(402.0)
    assert [one for one, _, _ in driver.ledger.stalled()] == ["r1"]
    assert sent(driver) == [0]


def test_each_hook_is_sent_at_its_own_time(driver: LedgerDriver) -> None:
    driver.complete(hooks=("http", "http"))
    fail(driver, 0, retry_in=100.0)
    fail(driver, 1, retry_in=10_000.0)
    driver.clock.forward(102.0)
    assert [one for one, _, _ in driver.ledger.stalled()] == ["r1"], "the later one's time hid it"
    assert sent(driver) == [0]


def test_a_replay_begins_the_schedule_anew(driver: LedgerDriver) -> None:
    driver.accept(hooks=1)
    (due_poll,) = driver.claim_due_polls(driver.start())
    driver.record_result(due_poll, "failed", message="no")
    driver.ledger.record_hook("r1", 0, claimed(driver, 0), outcome="dead", error="away")
    driver.clock.forward(300_000.0)
    assert driver.operations.replay("r1", 0)
    driver.clock.forward(5.0)
    assert claimed(driver, 0).seconds == pytest.approx(5.0, abs=0.01)


def test_a_record_of_an_earlier_version_keeps_the_requests_order(driver: LedgerDriver) -> None:
    driver.complete(hooks=2)
    driver.redis.hdel("renderline:render:r1", "awaited")
    assert sent(driver) == [0]
    assert claimed(driver, 1).status == "early"


def test_a_queued_message_is_not_sent_again(driver: LedgerDriver) -> None:
    driver.complete(hooks=1)
    assert sent(driver) == [0]
    assert sent(driver) == []
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.stalled(oldest={"hook": "r1:0"}) == [("r1", "completed", "normal")]
    assert sent(driver) == []
    driver.clock.forward(GRACE + 1)
    driver.ledger.stalled()
    assert sent(driver) == [0], "lost"


@pytest.mark.parametrize("host", ["http://host", ""], ids=["waits for its host", "waits for any place"])
def test_a_waiting_hook_whose_message_was_lost_is_sent_again_within_two_graces(driver: LedgerDriver, host: str) -> None:
    driver.complete(hooks=1)
    assert sent(driver) == [0]
    driver.ledger.defer_hook("r1", 0, claimed(driver, 0), host=host)
    driver.clock.forward(4 * GRACE)
    # Its turn has come; the worker that was to publish it dies before it does.
    assert driver.ledger.take_hooks(1)[0] == (("r1", 0),)
    driver.clock.forward(GRACE + 1)
    assert driver.ledger.stalled() == [("r1", "completed", "normal")]
    driver.clock.forward(GRACE + 1)
    driver.ledger.stalled()
    assert sent(driver) == [0]
