"""Work of an account or hook type that this worker does not know waits for other workers; it fails only after long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness import until
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.capabilities import KnownAccounts, WorkerCapabilities
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done
from renderline.ledger import AccountLimits, AccountUnknown
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.submission.outcome import Refused

DAY = 86_400.0


def begin(driver: Any, *known: str) -> Any:
    return driver.ledger.claim_submission("r1", lease=20.0, known=known)


def test_a_render_of_an_unknown_account_waits_for_a_worker_that_knows_it(driver: Any) -> None:
    driver.accept(account="new")
    assert begin(driver, "main") is None
    assert driver.state() == "accepted"
    assert "knows its account" in driver.record()["note"]
    assert AccountLimits(driver.ledger, known=["main"]).unpark() == [], "a worker that does not know it leaves it alone"
    assert AccountLimits(driver.ledger, known=["main", "new"]).unpark() == [("r1", "normal")]
    assert begin(driver, "main", "new") is not None


def test_it_fails_after_the_limit_if_no_worker_knows_the_account(driver: Any) -> None:
    driver.accept(account="new")
    assert begin(driver, "main") is None
    driver.clock.forward(DAY + 1)
    driver.ledger.announce_capabilities(["account:new"])
    assert begin(driver, "main") is None, "somebody knows it"
    driver.clock.forward(61)
    assert AccountLimits(driver.ledger, known=["main"]).unpark() == [("r1", "normal")], (
        "nobody any more: sent to its end"
    )
    with pytest.raises(AccountUnknown):
        begin(driver, "main")


def test_the_wait_counts_from_when_it_was_not_known(driver: Any) -> None:
    driver.accept(account="new")
    assert begin(driver, "main") is None
    driver.clock.forward(DAY - 10)
    assert begin(driver, "new").id == "r1"
    driver.ledger.release(begin_again(driver), retry_in=0.0, note="later")
    assert begin(driver, "main") is None
    driver.clock.forward(100)
    assert begin(driver, "main") is None, "it was known in between"


def begin_again(driver: Any) -> Any:
    driver.clock.forward(21)
    return begin(driver, "new")


def test_the_submitter_ends_what_nobody_has_known_for_long(new_local_worker: Any, examples: Any) -> None:
    local_worker = new_local_worker()
    local_worker.accept({**examples("compact-landscape.json"), "hooks": [], "account": "new"}, "r1", account="new")
    submitter = local_worker.new_submitter(unknown_after=0.0)
    until(lambda: isinstance(submitter.submit("r1"), Refused), what="the render's end")
    record = local_worker.record("r1")
    assert (record["state"], record["error"]["code"]) == ("failed", "unavailable_account")
    assert local_worker.seen() == []


def test_polls_of_an_unknown_account_are_left_to_those_who_know_it(new_local_worker: Any, driver: Any) -> None:
    local_worker = new_local_worker()
    driver.accept(account="new")
    wake = driver.start()
    local_worker.ledger.announce_capabilities(["account:new"])
    poller = _poller(local_worker)
    rest = poller.run("new", slot=wake.slot, ticket=wake.ticket)
    assert rest is not None
    assert rest.delay >= 1.0
    assert driver.redis.hget("renderline:render:r1", "epoch") is None, "claimed by nobody"
    assert poller.run("new", slot=wake.slot, ticket=wake.ticket) is None


def test_a_render_that_no_worker_can_poll_says_so_and_expires_in_time(new_local_worker: Any, driver: Any) -> None:
    local_worker = new_local_worker()
    driver.accept(account="new", deadline=1.0)
    wake = driver.start(poll_in=0.0)
    poller = _poller(local_worker)
    rest = poller.run("new", slot=wake.slot, ticket=wake.ticket)
    assert rest is not None
    assert "no live worker knows its account" in driver.record()["note"]
    assert driver.redis.hget("renderline:render:r1", "polls") is None


def _poller(local_worker: Any) -> Any:
    return replace(local_worker.poller, capabilities=WorkerCapabilities(local_worker.ledger, ["main"], []), _pools={})


def deliverer(driver: Any, **options: Any) -> Deliverer:
    capabilities = WorkerCapabilities(driver.ledger, ["main"], [])
    return Deliverer(
        ledger=driver.ledger,
        dispatcher=RecordedDispatcher(),
        kinds={},
        retries=HookRetryPolicy(attempts=1),
        lease=20.0,
        capabilities=capabilities,
        **options,
    )


def test_a_hook_whose_type_is_not_installed_waits_and_counts_no_try(driver: Any) -> None:
    driver.complete(hooks=1)
    for _ in range(5):
        assert isinstance(deliverer(driver).deliver("r1", 0), RetryIn)
        driver.clock.forward(61)
    hook = driver.record()["hooks"][0]
    assert (hook["state"], hook["attempts"]) == ("pending", 0)
    assert "not installed" in hook["error"]
    assert driver.ledger.claim_hook("r1", 0, lease=20.0).status == "yours", "for a worker that has it"


def test_a_hook_whose_type_others_have_comes_back_soon(driver: Any) -> None:
    driver.complete(hooks=1)
    driver.ledger.announce_capabilities(["hook:http"])
    result = deliverer(driver).deliver("r1", 0)
    assert isinstance(result, RetryIn)
    assert result.seconds <= 5


def test_a_hook_of_a_type_that_no_worker_has_is_given_up_after_the_limit(driver: Any) -> None:
    driver.complete(hooks=1)
    assert isinstance(deliverer(driver, unknown_after=100.0).deliver("r1", 0), RetryIn)
    driver.clock.forward(101)
    assert isinstance(deliverer(driver, unknown_after=100.0).deliver("r1", 0), Done)
    assert driver.record()["hooks"][0]["state"] == "dead"


def test_a_request_may_name_an_account_that_only_others_know(driver: Any) -> None:
    known = KnownAccounts(driver.ledger, ["main"])
    assert "new" not in known
    driver.ledger.announce_capabilities(["account:new", "hook:http"])
    again = KnownAccounts(driver.ledger, ["main"])
    assert ("new" in again, "http" in again, sorted(again)) == (True, False, ["main", "new"])
    driver.clock.forward(61)
    assert "new" not in KnownAccounts(driver.ledger, ["main"])


def test_a_worker_says_once_which_accounts_it_leaves_to_others(driver: Any) -> None:
    driver.accept(account="new")
    assert begin(driver, "main") is None
    capabilities = WorkerCapabilities(driver.ledger, ["main"], [])
    with capture_logs() as lines:
        capabilities.announce()
        capabilities.announce()
    assert [line["what"] for line in lines] == ["account:new"]


def test_accounts_with_work_and_no_worker_are_reported(driver: Any) -> None:
    driver.accept(account="new")
    assert begin(driver, "main") is None
    assert driver.operations.accounts_without_worker() == {"new"}
    driver.ledger.announce_capabilities(["account:new"])
    assert driver.operations.accounts_without_worker() == set()
