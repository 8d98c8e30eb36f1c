"""A held render: no message and no sweep submits it, until it is released."""

from __future__ import annotations

from typing import Any

import pytest

from harness.ledger import GRACE, LEASE, LedgerDriver

pytestmark = pytest.mark.usefixtures("driver")


def hold(driver: LedgerDriver, one: str = "r1") -> str:
    return driver.operations.hold(one, by="anna", reason="checking the script")


def submitted(driver: LedgerDriver, one: str = "r1") -> bool:
    return driver.ledger.claim_submission(one, lease=LEASE) is not None


def swept(driver: LedgerDriver) -> list[str]:
    """Everything that the sweep would send again."""
    found = [item[0] for item in driver.ledger.stalled(oldest={})]
    return found + [item[0] for item in driver.limits.unpark()]


def test_no_message_and_no_sweep_submits_a_held_render(driver: LedgerDriver) -> None:
    driver.accept()
    assert hold(driver) == "accepted"
    record = driver.record()
    assert record["state"] == "accepted"
    assert (record["held"]["by"], record["held"]["reason"]) == ("anna", "checking the script")
    for _ in range(3):
        assert not submitted(driver)
        driver.clock.forward(20 * GRACE)
        assert swept(driver) == []
    driver.check_indexes()


def test_released_it_goes_on(driver: LedgerDriver) -> None:
    driver.accept()
    hold(driver)
    assert driver.operations.release("r1") == "due"
    assert driver.record()["held"] is None
    driver.check_indexes()
    assert submitted(driver)
    assert driver.operations.release("r1") == ""


def test_only_an_accepted_render_is_held(driver: LedgerDriver) -> None:
    driver.accept()
    driver.claim()
    assert hold(driver) == "submitting"
    assert driver.record()["held"] is None
    assert hold(driver, "unknown") == ""


def test_cancel_ends_a_held_render(driver: LedgerDriver) -> None:
    driver.accept()
    hold(driver)
    assert driver.operations.cancel("r1") == "canceled"
    assert driver.record()["held"] is None
    assert driver.redis.zcard(driver.ledger.keys.held) == 0
    driver.check_indexes()


def test_a_held_render_frees_its_place_for_the_next_one(driver: LedgerDriver) -> None:
    driver.limits.set_slots({"main": 1})
    names = [f"r{number}" for number in range(10)]
    for one in names:
        driver.accept(one)
    parked = [one for one in names if driver.score_in("parked:main", one) is not None]
    assert parked == ["r8", "r9"]
    for one in ("r0", "r8"):
        hold(driver, one)
    driver.limits.set_slots({"main": None})
    assert [one for one, _ in driver.limits.unpark()] == ["r9"]


def test_a_render_that_waits_for_its_turn_is_held_too(driver: LedgerDriver) -> None:
    driver.operations.pause("main")
    driver.accept()
    assert not submitted(driver)
    hold(driver)
    driver.operations.resume("main")
    assert swept(driver) == []
    assert not submitted(driver)


def test_an_accepted_request_that_comes_again_stays_held(driver: LedgerDriver) -> None:
    driver.accept()
    hold(driver)
    result: Any = driver.ledger.accept(driver.entry("r1"))
    assert (result.status, result.due) == ("known", False)
