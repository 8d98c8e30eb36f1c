"""A held render: no message and no sweep submits it, until it is released."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from redis import Redis

from harness.ledger import GRACE, LEASE, LedgerDriver, accept_render
from renderline.ledger import Commands, Ledger, Quota, QuotaExceeded
from renderline.tenants import DEFAULT

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


def test_a_hold_that_meets_a_claim_wins_or_comes_too_late(redis: Redis) -> None:
    """Four workers and an operator at once, sixty times: it is either held and nobody's, or somebody's and not held."""
    ledger = Ledger(redis)
    people, names = Commands(ledger), [f"{number:032x}" for number in range(60)]
    for one in names:
        accept_render(ledger, one)
    ready = Barrier(5)

    def work(_: int) -> list[str]:
        ready.wait()
        return [one for one in names if ledger.claim_submission(one, lease=LEASE)]

    def hold_all() -> dict[str, str]:
        ready.wait()
        return {one: people.hold(one, by="anna", reason="") for one in reversed(names)}

    with ThreadPoolExecutor(5) as pool:
        holding = pool.submit(hold_all)
        claimed = [one for some in pool.map(work, range(4)) for one in some]
    held = {one for one, state in holding.result().items() if state == "accepted"}
    assert held
    assert claimed
    assert len(claimed) == len({*claimed}) == len(names) - len(held)
    assert held.isdisjoint(claimed)
    assert not [one for one in held if ledger.claim_submission(one, lease=LEASE)]
    assert {record["id"] for record in ledger.records(names) if record and record["held"]} == held


def test_a_tenant_gets_its_place_in_flight_back(driver: LedgerDriver) -> None:
    quota = Quota(in_flight=1)
    for number, tenant in enumerate(("acme", DEFAULT)):
        first, second = (f"{number}{index}" for index in "ab")
        accept_render(driver.ledger, first, tenant=tenant, quota=quota)
        with pytest.raises(QuotaExceeded):
            accept_render(driver.ledger, second, tenant=tenant, quota=quota)
        hold(driver, first)
        accept_render(driver.ledger, second, tenant=tenant, quota=quota)
        assert driver.operations.release(first)


def test_a_webhook_of_an_earlier_attempt_changes_nothing_of_it(driver: LedgerDriver) -> None:
    driver.accept()
    hold(driver)
    before = driver.record()
    assert driver.operations.record_webhook("r1", progress=100.0, credit=5.0, url="https://v/1.mp4")[0] == "accepted"
    assert driver.record() == before
