"""Accounts whose API is missing in this worker; free calls of accounts that were removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness import until
from harness.ledger import LEASE
from renderline.capabilities import WorkerCapabilities
from renderline.ledger import AccountLimits, AccountUnknown
from renderline.submission.outcome import Refused, Submitted

DAY = 86_400.0
APIS = {"project": "v3", "v2_project": "v2"}


def begin(driver: Any, *known: str, one: str = "r1") -> Any:
    return driver.ledger.claim_submission(one, lease=LEASE, known=known, apis=APIS)


def v2(driver: Any, one: str = "r1") -> None:
    assert driver.ledger.accept(replace(driver.entry(one), kind="v2_project")).status == "new"


def test_a_worker_without_the_v2_key_does_not_fail_v2_renders(new_local_worker: Any, examples: Any) -> None:
    local_worker = new_local_worker()
    local_worker.accept({"kind": "v2_project", "payload": examples("v2-seed-minimal.json")}, "r1")
    old = local_worker.new_submitter(accounts={"main": replace(local_worker.accounts["main"], v2=None)})
    old.submit("r1")
    assert (local_worker.record("r1")["state"], local_worker.record("r1")["error"]) == ("accepted", None)
    assert "v2" in local_worker.record("r1")["note"]
    assert isinstance(local_worker.submitter.submit("r1"), Submitted), "a worker that has it goes on"


def test_only_those_who_have_the_api_take_it_again_and_others_of_the_account_go_on(driver: Any) -> None:
    v2(driver)
    assert begin(driver, "main", "v3:main") is None
    assert "v2" in driver.record()["note"]
    driver.check_indexes()
    assert AccountLimits(driver.ledger, known=["main", "v3:main"]).unpark() == [], "not handed round by those without"
    driver.accept("r2")
    assert begin(driver, "main", "v3:main", one="r2") is not None
    assert AccountLimits(driver.ledger, known=["main", "v2:main"]).unpark() == [("r1", "normal")]
    assert begin(driver, "main", "v2:main") is not None


def test_urgent_ones_go_first_once_the_api_is_there(driver: Any) -> None:
    for one, priority in (("a", "low"), ("b", "high")):
        assert driver.ledger.accept(replace(driver.entry(one, priority=priority), kind="v2_project")).status == "new"
        assert begin(driver, "main", "v3:main", one=one) is None
    assert AccountLimits(driver.ledger, known=["main", "v2:main"]).unpark() == [("b", "high"), ("a", "low")]


def test_it_fails_after_the_limit_if_no_worker_has_the_api(driver: Any) -> None:
    v2(driver)
    assert begin(driver, "main", "v3:main") is None
    driver.clock.forward(DAY + 1)
    driver.ledger.announce_capabilities(["account:main", "api:v2:main"])
    assert begin(driver, "main", "v3:main") is None, "somebody has it"
    driver.clock.forward(61)
    driver.ledger.announce_capabilities(["account:main", "api:v3:main"])
    assert AccountLimits(driver.ledger, known=["main", "v3:main"]).unpark() == [("r1", "normal")], "sent to its end"
    with pytest.raises(AccountUnknown, match="v2"):
        begin(driver, "main", "v3:main")


def test_an_api_that_nobody_has_is_reported_as_an_unknown_account_is(driver: Any) -> None:
    v2(driver)
    assert begin(driver, "main", "v3:main") is None
    capabilities = WorkerCapabilities(driver.ledger, ["main"], [], ["v3:main"])
    with capture_logs() as logs:
        capabilities.announce()
    assert [entry["what"] for entry in logs if entry["log_level"] == "warning"] == ["api:v2:main"]
    assert driver.operations.accounts_without_worker() == {"main (v2)"}
    WorkerCapabilities(driver.ledger, ["main"], [], ["v2:main"]).announce()
    assert driver.operations.accounts_without_worker() == set()


def announced_free_call(driver: Any) -> None:
    """Have the worker that announced a draft die, and its account vanish."""
    driver.accept()
    claim = driver.claim()
    assert driver.ledger.record_intent(claim, "draft", lease=LEASE)
    driver.clock.forward(LEASE + 2)


def test_a_free_call_of_an_account_that_nobody_knows_waits_and_then_ends(driver: Any) -> None:
    announced_free_call(driver)
    assert begin(driver, "other") is None
    assert driver.record()["note"].startswith("waits for a worker")
    driver.check_indexes()
    assert AccountLimits(driver.ledger, known=["other"]).unpark() == []
    driver.clock.forward(DAY + 1)
    assert AccountLimits(driver.ledger, known=["other"]).unpark() == [("r1", "normal")]
    with pytest.raises(AccountUnknown):
        begin(driver, "other")


def test_its_draft_stays_a_suspect_when_it_fails(new_local_worker: Any, examples: Any) -> None:
    local_worker = new_local_worker()
    local_worker.accept({**examples("compact-landscape.json"), "hooks": [], "account": "main"}, "r1")
    local_worker.record_intent(local_worker.claim("r1"), "draft")
    local_worker.lapse("r1")
    stranger = local_worker.new_submitter(accounts={"other": local_worker.accounts["main"]}, unknown_after=0.0)
    until(lambda: isinstance(stranger.submit("r1"), Refused), what="its end", seconds=15)
    assert local_worker.record("r1")["error"]["code"] == "unavailable_account"
    assert local_worker.redis.zcard("renderline:orphan_drafts:main") == 2
    assert local_worker.seen() == []


def test_a_free_call_goes_on_with_a_worker_that_knows_the_account(driver: Any) -> None:
    announced_free_call(driver)
    assert begin(driver, "other") is None
    claim = begin(driver, "main", "v3:main")
    assert claim is not None
    assert claim.intent == "draft", "the next worker has to find the draft first"


def test_a_paid_call_of_an_account_that_is_gone_is_settled_by_anybody(driver: Any) -> None:
    driver.accept()
    claim = driver.claim()
    assert driver.ledger.advance(claim, stage="export", project_id="p1", lease=LEASE)
    driver.clock.forward(LEASE + 2)
    taken = driver.ledger.claim_submission("r1", lease=LEASE, known=["other"], apis=APIS, paid=["export"])
    assert taken is not None
    assert taken.intent == "export"


def test_a_retry_waits_anew_for_a_worker_that_knows_the_account(driver: Any) -> None:
    driver.accept()
    assert begin(driver, "other") is None
    driver.clock.forward(DAY + 1)
    assert driver.ledger.fail("r1", code="unavailable_account", message="unknown", origin="renderline")
    assert driver.operations.retry("r1") == "due"
    assert begin(driver, "other") is None, "not at its end at once"
    assert driver.state() == "accepted"
