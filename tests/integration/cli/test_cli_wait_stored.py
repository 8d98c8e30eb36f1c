"""Waiting for a render whose video is stored while another hook keeps failing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery

from harness.ledger import LEASE, LedgerDriver
from renderline.ledger import Queries
from renderline.producer import wait_for
from workers.cli.errors import ExitCode
from workers.cli.waiting import RenderWait, Until


def test_a_failing_endpoint_does_not_delay_a_wait_for_the_video(driver: LedgerDriver, valkey_url: str) -> None:
    driver.complete(hooks=("download", "http"))
    stored = {"stored_url": "file:///v/r1.mp4"}
    driver.ledger.record_hook(
        "r1", 0, driver.ledger.claim_hook("r1", 0, lease=LEASE), outcome="delivered", fields=stored
    )
    claim = driver.ledger.claim_hook("r1", 1, lease=LEASE)
    driver.ledger.record_hook("r1", 1, claim, outcome="retrying", retry_in=3600.0, error="away")
    app = Celery("test", broker=valkey_url)
    outcome = wait_for(app, "r1", timeout=60, until="stored")
    assert (outcome.state, outcome.stored_url) == ("completed", "file:///v/r1.mp4")
    with pytest.raises(TimeoutError, match="is completed"):
        wait_for(app, "r1", timeout=0.1)


def states(waited: RenderWait) -> list[list[str]]:
    """Wait, and return the states that were seen, in the order of the changes."""
    return [[record["state"] for record in records] for records in waited.changes() if records]


def test_waiting_at_the_prompt_for_the_video_ends_when_it_is_stored(driver: LedgerDriver) -> None:
    driver.complete(hooks=("download", "http"))
    stored = {"stored_url": "file:///v/r1.mp4"}
    driver.ledger.record_hook(
        "r1", 0, driver.ledger.claim_hook("r1", 0, lease=LEASE), outcome="delivered", fields=stored
    )
    session: Any = SimpleNamespace(queries=Queries(driver.ledger), ledger=driver.ledger)
    for until, open_, code in (("stored", [], ExitCode.DONE), ("ended", ["r1"], ExitCode.TIMED_OUT)):
        waited = RenderWait(session, ["r1"], timeout=0.2, until=until)
        assert states(waited) == [["completed"]]
        assert (waited.open, waited.code) == (open_, code)


def test_waiting_at_the_prompt_ends_when_a_hook_is_put_off_for_long(driver: LedgerDriver) -> None:
    driver.complete(hooks=1)
    for _ in range(6):
        claim = driver.ledger.claim_hook("r1", 0, lease=LEASE)
        driver.ledger.record_hook("r1", 0, claim, outcome="retrying", retry_in=1.0, error="away")
        driver.clock.forward(1.0)
    session: Any = SimpleNamespace(queries=Queries(driver.ledger), ledger=driver.ledger)
    waited = RenderWait(session, ["r1"])
    assert states(waited) == [["completed"]]
    assert waited.code == ExitCode.TIMED_OUT


def prompt(driver: LedgerDriver, *, until: Until = "ended", timeout: float | None = None) -> RenderWait:
    session: Any = SimpleNamespace(queries=Queries(driver.ledger), ledger=driver.ledger)
    return RenderWait(session, ["r1"], until=until, timeout=timeout)


def test_a_prompt_that_waits_for_the_video_ends_with_a_render_that_never_has_one(driver: LedgerDriver) -> None:
    driver.accept()
    driver.ledger.fail("r1", code="1", message="no", origin="vendor")
    waited = prompt(driver, until="stored")
    assert states(waited) == [["failed"]]
    assert waited.code == ExitCode.FAILED


def held_by(driver: LedgerDriver, host: str) -> None:
    driver.complete(hooks=1)
    for _ in range(5):
        driver.limits.call_failed(f"hook {host}", failures=5, pause=20.0)
    driver.ledger.defer_hook("r1", 0, driver.ledger.claim_hook("r1", 0, lease=LEASE), host=host)
    assert driver.record()["hooks"][0]["state"] == "pending"


def test_waiting_at_the_prompt_ends_when_the_hooks_host_is_away_and_says_which(driver: LedgerDriver) -> None:
    held_by(driver, "hooks.example.com")
    driver.clock.forward(61)
    waited = prompt(driver)
    assert states(waited) == [["completed"]]
    assert waited.code == ExitCode.TIMED_OUT
    why = waited.why("r1")
    assert "hooks.example.com" in why
    assert "--until stored" in why


def test_a_host_that_is_away_for_seconds_is_waited_for(driver: LedgerDriver) -> None:
    held_by(driver, "hooks.example.com")
    waited = prompt(driver)
    next(waited.changes())
    assert not waited.put_off
    driver.clock.forward(61)
    next(waited.changes())
    assert waited.put_off
    driver.limits.call_answered("hook hooks.example.com")
    next(waited.changes())
    assert not waited.put_off, "it is back"


def test_the_progress_is_that_of_the_events_and_the_end_that_of_the_record(driver: LedgerDriver) -> None:
    driver.accept()
    waited = prompt(driver)
    seen = waited.changes()
    assert [record["state"] for record in next(seen)] == ["accepted"]
    driver.ledger.fail("r1", code="1", message="no", origin="vendor")
    last = [record for records in seen for record in records]
    assert [record["error"]["message"] for record in last] == ["no"]
    assert waited.code == ExitCode.FAILED
