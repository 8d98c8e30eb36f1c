"""`renderline doctor` reports what only a person can repair, and the reports do not pile up."""

from __future__ import annotations

import pytest

from harness.ledger import LEASE, LedgerDriver
from renderline.ledger import Queries
from workers.cli.checks import backlog
from workers.cli.checks.result import CheckResult

ONE = "a" * 32


def results_of(driver: LedgerDriver, check: str) -> list[CheckResult]:
    return [
        one for one in backlog.check(driver.ledger, Queries(driver.ledger), driver.operations) if one.check == check
    ]


def alarm(driver: LedgerDriver, one: str, *, attempt: int = 1) -> None:
    """Have the vendor call about a render's first draft after that was revoked."""
    (due_poll,) = driver.claim_due_polls(driver.start(one, confirmed=False))
    assert driver.ledger.begin_revocation(one, epoch=due_poll.epoch, project_id=f"p-{one}")
    assert driver.record_result(due_poll, "revoked", project_id=f"p-{one}") == [(one, "submitting")]
    assert driver.operations.record_webhook(one, progress=100.0, attempt=attempt, draft=1)[0] == "revoked"


def test_a_rendered_revoked_draft_is_shown_by_the_doctor(driver: LedgerDriver) -> None:
    assert [one.verdict for one in results_of(driver, "alarms")] == ["ok"]
    driver.accept(ONE)
    alarm(driver, ONE)
    (found,) = results_of(driver, "alarms")
    assert found.verdict == "warn"
    assert f"render {ONE}, attempt 1, draft 1, tag [{ONE}]" in found.detail
    assert "credit" in found.advice


def test_the_tag_of_an_alarm_is_the_one_in_the_projects_name(driver: LedgerDriver) -> None:
    driver.accept(ONE)
    assert driver.ledger.fail(ONE, code="", message="no", origin="vendor")
    assert driver.operations.retry(ONE)
    alarm(driver, ONE, attempt=2)
    (found,) = results_of(driver, "alarms")
    assert f"attempt 2, draft 1, tag [{ONE}.2]" in found.detail


def test_alarms_do_not_pile_up(driver: LedgerDriver) -> None:
    old = {f"{index:032x}.1.1": driver.clock.now - 5000 + index for index in range(1100)}
    driver.redis.zadd("renderline:alarms", old)
    driver.accept(ONE)
    alarm(driver, ONE)
    assert driver.redis.zcard("renderline:alarms") == 1000
    assert driver.operations.alarms(limit=1)[0].render_id == ONE, "the newest is kept"
    alarms = results_of(driver, "alarms")
    assert len(alarms) == 6
    assert alarms[-1].detail == "995 more"
    driver.ledger.forget(retention=1000.0)
    assert [one.render_id for one in driver.operations.alarms()] == [ONE], "kept for longer than a record"
    driver.clock.forward(1001.0)
    driver.ledger.forget(retention=1000.0)
    assert driver.operations.alarms() == []


@pytest.mark.parametrize("state", ["away", "well"])
def test_an_account_in_an_outage_is_shown_by_the_doctor(driver: LedgerDriver, state: str) -> None:
    driver.accept()
    driver.start()
    for _ in range(3):
        driver.limits.call_failed("main", failures=3 if state == "away" else 4, pause=10.0)
    assert [one.verdict for one in results_of(driver, "account main")] == (["warn"] if state == "away" else [])
    driver.operations.resume("main")
    assert results_of(driver, "account main") == []


def test_an_account_without_credit_is_shown_by_the_doctor(driver: LedgerDriver) -> None:
    driver.accept()
    driver.limits.hold("main", reason="not enough credits", seconds=300.0)
    (found,) = results_of(driver, "account main")
    assert (found.verdict, "not enough credits" in found.detail) == ("warn", True)
    assert "resume" in found.advice


def test_an_account_that_no_worker_knows_is_shown_by_the_doctor(driver: LedgerDriver) -> None:
    driver.accept()
    driver.ledger.announce_capabilities(["account:main"])
    assert [one.verdict for one in results_of(driver, "unknown accounts")] == ["ok"]
    driver.accept("r2", account="new")
    assert driver.ledger.claim_submission("r2", lease=LEASE, known=("main",)) is None
    (found,) = results_of(driver, "unknown accounts")
    assert (found.verdict, found.detail.endswith(": new")) == ("warn", True)


def test_a_record_that_was_set_aside_is_shown_by_the_doctor(driver: LedgerDriver) -> None:
    driver.accept()
    driver.redis.delete("renderline:render:r1")
    driver.redis.set("renderline:render:r1", "no hash")
    driver.clock.forward(31)
    driver.ledger.stalled()
    assert [one.verdict for one in results_of(driver, "quarantine")] == ["warn"]
