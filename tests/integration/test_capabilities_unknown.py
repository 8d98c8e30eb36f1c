"""What this worker does not know, an account or a kind of hooks, waits for those who do; it fails only after long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from harness import until
from renderline.capabilities import KnownAccounts, WorkerCapabilities
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done, RetryIn
from renderline.hooks.retry import HookRetryPolicy
from renderline.ledger import AccountLimits, AccountUnknown
from renderline.submission.outcome import Refused

DAY = 86_400.0


def begin(book: Any, *known: str) -> Any:
    return book.ledger.begin_submission("r1", lease=20.0, known=known)


def test_a_render_of_an_unknown_account_waits_for_a_worker_that_knows_it(book: Any) -> None:
    book.accept(account="new")
    assert begin(book, "main") is None
    assert book.state() == "accepted"
    assert "knows its account" in book.record()["note"]
    assert AccountLimits(book.ledger, known=["main"]).unpark() == [], "not handed round by those who do not know it"
    assert AccountLimits(book.ledger, known=["main", "new"]).unpark() == [("r1", "normal")]
    assert begin(book, "main", "new") is not None


def test_it_fails_only_after_long_and_only_if_nobody_knows_it(book: Any) -> None:
    book.accept(account="new")
    assert begin(book, "main") is None
    book.clock.forward(DAY + 1)
    book.ledger.serve(["account:new"])
    assert begin(book, "main") is None, "somebody knows it"
    book.clock.forward(61)
    assert AccountLimits(book.ledger, known=["main"]).unpark() == [("r1", "normal")], "nobody any more: sent to its end"
    with pytest.raises(AccountUnknown):
        begin(book, "main")


def test_the_wait_counts_from_when_it_was_not_known(book: Any) -> None:
    book.accept(account="new")
    assert begin(book, "main") is None
    book.clock.forward(DAY - 10)
    assert begin(book, "new").id == "r1"
    book.ledger.release(begin_again(book), retry_in=0.0, note="later")
    assert begin(book, "main") is None
    book.clock.forward(100)
    assert begin(book, "main") is None, "it was known in between"


def begin_again(book: Any) -> Any:
    book.clock.forward(21)
    return begin(book, "new")


def test_the_submitter_ends_what_nobody_has_known_for_long(new_stage: Any, examples: Any) -> None:
    stage = new_stage()
    stage.accept({**examples("compact-landscape.json"), "hooks": [], "account": "new"}, "r1", account="new")
    submitter = stage.new_submitter(unknown_after=0.0)
    until(lambda: isinstance(submitter.submit("r1"), Refused), what="the render's end")
    record = stage.record("r1")
    assert (record["state"], record["error"]["code"]) == ("failed", "unavailable_account")
    assert stage.seen() == []


def test_polls_of_an_unknown_account_are_left_to_those_who_know_it(new_stage: Any, book: Any) -> None:
    stage = new_stage()
    book.accept(account="new")
    kick = book.started()
    stage.ledger.serve(["account:new"])
    poller = _poller(stage)
    rest = poller.run("new", slot=kick.slot, ticket=kick.ticket, moved=stage.moved.extend, kick=stage.kicks.append)
    assert rest is not None
    assert rest.delay >= 1.0
    assert book.redis.hget("renderline:render:r1", "epoch") is None, "claimed by nobody"
    assert poller.run("new", slot=kick.slot, ticket=kick.ticket, moved=lambda _: None, kick=lambda _: None) is None


def test_what_nobody_can_poll_says_so_and_expires_in_time(new_stage: Any, book: Any) -> None:
    stage = new_stage()
    book.accept(account="new", deadline=1.0)
    kick = book.started(look_in=0.0)
    poller = _poller(stage)
    rest = poller.run("new", slot=kick.slot, ticket=kick.ticket, moved=stage.moved.extend, kick=stage.kicks.append)
    assert rest is not None
    assert "no live worker knows its account" in book.record()["note"]
    assert book.redis.hget("renderline:render:r1", "polls") is None


def _poller(stage: Any) -> Any:
    return replace(stage.poller, capabilities=WorkerCapabilities(stage.ledger, ["main"], []), _pools={})


def deliverer(book: Any, **options: Any) -> Deliverer:
    capabilities = WorkerCapabilities(book.ledger, ["main"], [])
    return Deliverer(
        ledger=book.ledger,
        kinds={},
        retries=HookRetryPolicy(attempts=1),
        lease=20.0,
        capabilities=capabilities,
        **options,
    )


def test_a_hook_whose_type_is_not_installed_waits_and_counts_no_try(book: Any) -> None:
    book.completed(hooks=1)
    for _ in range(5):
        assert isinstance(deliverer(book).deliver("r1", 0), RetryIn)
        book.clock.forward(61)
    hook = book.record()["hooks"][0]
    assert (hook["state"], hook["attempts"]) == ("pending", 0)
    assert "not installed" in hook["error"]
    assert book.ledger.claim_hook("r1", 0, lease=20.0).verdict == "yours", "for a worker that has it"


def test_a_hook_whose_type_others_have_comes_back_soon(book: Any) -> None:
    book.completed(hooks=1)
    book.ledger.serve(["hook:http"])
    result = deliverer(book).deliver("r1", 0)
    assert isinstance(result, RetryIn)
    assert result.seconds <= 5


def test_a_hook_whose_type_nobody_has_is_given_up_after_long(book: Any) -> None:
    book.completed(hooks=1)
    assert isinstance(deliverer(book, unknown_after=100.0).deliver("r1", 0), RetryIn)
    book.clock.forward(101)
    assert isinstance(deliverer(book, unknown_after=100.0).deliver("r1", 0), Done)
    assert book.record()["hooks"][0]["state"] == "dead"


def test_a_request_may_name_an_account_that_only_others_know(book: Any) -> None:
    known = KnownAccounts(book.ledger, ["main"])
    assert "new" not in known
    book.ledger.serve(["account:new", "hook:http"])
    again = KnownAccounts(book.ledger, ["main"])
    assert ("new" in again, "http" in again, sorted(again)) == (True, False, ["main", "new"])
    book.clock.forward(61)
    assert "new" not in KnownAccounts(book.ledger, ["main"])


def test_a_worker_says_once_which_accounts_it_leaves_to_others(book: Any) -> None:
    book.accept(account="new")
    assert begin(book, "main") is None
    capabilities = WorkerCapabilities(book.ledger, ["main"], [])
    with capture_logs() as lines:
        capabilities.announce()
        capabilities.announce()
    assert [line["what"] for line in lines] == ["account:new"]


def test_accounts_with_work_that_nobody_serves_are_reported(book: Any) -> None:
    book.accept(account="new")
    assert begin(book, "main") is None
    assert book.operations.unserved() == {"new"}
    book.ledger.serve(["account:new"])
    assert book.operations.unserved() == set()
