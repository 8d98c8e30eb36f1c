"""What is not the render's fault does not fail it: a proxy's page for an answer, an account without credit."""

from __future__ import annotations

from typing import Any

import pytest

from harness.fake_vendor import Answer, Call, failure
from harness.ledger import LedgerDriver
from renderline.ledger import Commands
from renderline.retry import RetryIn
from renderline.submission.outcome import NotMyTurn, Parked, Submitted
from tests.integration.test_bulkhead_accounts import Worker

RENDER_SECONDS = 0.05
HTML = {"Content-Type": "text/html"}
PAGES = {
    "html 404": Answer(404, HTML, b"<html>nginx</html>"),
    "html 403": Answer(403, HTML, b"<html>blocked</html>"),
    "html 405": Answer(405, HTML, b"<html>nginx</html>"),
    "empty 400": Answer(400, {}, b""),
    "json of a gateway": Answer(404, {"Content-Type": "application/json"}, b'{"message": "no Route matched"}'),
    "json 403 of a gateway": Answer(403, {"Content-Type": "application/json"}, b'{"message": "Forbidden"}'),
}
ONE = "a" * 32


@pytest.fixture
def worker(redis, vendor):
    one = Worker(redis, {"main": vendor}, pause=30.0)
    yield one
    one.poller.close()


def only(name: str, answer: Answer) -> Any:
    def override(call: Call) -> Answer | None:
        return answer if call.name == name else None

    return override


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_a_proxy_does_not_fail_the_backlog(worker, vendor, page):
    vendor.override = only("draft", PAGES[page])
    names = [f"{index:032x}" for index in range(8)]
    worker.accept("main", *names)
    outcomes = [worker.submitter.submit(one) for one in names]
    assert {type(one) for one in outcomes} <= {RetryIn, NotMyTurn}
    assert {worker.state(one) for one in names} <= {"accepted", "submitting"}
    if "403" not in page:  # a 403 has the token asked about, which the vendor answers
        assert vendor.calls["draft"] == 3, "three in a row open the circuit, the others are parked"
    vendor.override = lambda _: None
    Commands(worker.ledger).resume("main")
    assert all(isinstance(worker.submitter.submit(one), Submitted) for one in names)
    assert [vendor.exports_of(one) for one in names] == [1] * 8


def test_a_page_instead_of_the_export_is_settled_and_never_paid_twice(worker, vendor):
    vendor.override = only("export", PAGES["html 403"])
    worker.accept("main", ONE)
    assert isinstance(worker.submitter.submit(ONE), Submitted)
    assert worker.state(ONE) == "unconfirmed"
    assert vendor.calls["export"] == 1


def test_probing_a_proxy_for_hours_does_not_use_up_a_renders_attempts(worker, vendor):
    vendor.override = only("draft", PAGES["html 404"])
    worker.accept("main", ONE)
    for _ in range(40):
        outcome = worker.submitter.submit(ONE)
        worker.ledger.redis.hset("renderline:circuit:main", "until", "0")
        assert isinstance(outcome, RetryIn)
    assert vendor.calls["draft"] == 40
    assert worker.ledger.redis.hget(f"renderline:render:{ONE}", "failures") is None


def test_an_account_without_credit_is_held_instead_of_failing_its_renders(worker, vendor):
    vendor.override = only("export", failure(402, "40200", "not enough credits"))
    names = [f"{index:032x}" for index in range(8)]
    worker.accept("main", *names)
    outcomes = [worker.submitter.submit(one) for one in names]
    assert isinstance(outcomes[0], Parked)
    assert outcomes[1:] == [NotMyTurn()] * 7, "tried with each of them"
    assert vendor.calls["export"] == 1
    assert {worker.state(one) for one in names} == {"submitting", "accepted"}
    assert "not enough credits" in worker.ledger.record(names[3])["note"]
    assert "not enough credits" in Commands(worker.ledger).holds()["main"]
    vendor.override = lambda _: None
    assert Commands(worker.ledger).resume("main")
    assert Commands(worker.ledger).holds() == {}
    assert all(isinstance(worker.submitter.submit(one), Submitted) for one in names)
    assert [vendor.exports_of(one) for one in names] == [1] * 8
    assert vendor.calls["draft"] == 8, "the draft of the first is exported, not another"


def test_a_held_account_is_tried_now_and_then_and_goes_on_by_itself(driver: LedgerDriver):
    for one in "abc":
        driver.accept(one)
    assert driver.limits.hold("main", reason="no credit", seconds=300.0)
    assert not driver.limits.hold("main", reason="no credit", seconds=300.0), "reported once"
    assert [driver.ledger.claim_submission(one, lease=20.0) for one in "abc"] == [None] * 3
    assert driver.limits.unpark() == []
    driver.clock.forward(301.0)
    assert [one for one, _ in driver.limits.unpark()] == ["a"]
    claim = driver.claim("a")
    assert driver.ledger.claim_submission("b", lease=20.0) is None, "one at a time"
    assert driver.ledger.record_intent(claim, "export", lease=20.0)
    assert driver.ledger.start(claim, confirmed=True, project_id="p", poll_in=1.0)[0]
    assert [one for one, _ in driver.limits.unpark()] == ["b", "c"]
    assert driver.operations.holds() == {}


def test_what_runs_at_the_vendor_is_followed_while_its_account_is_held(driver: LedgerDriver):
    driver.accept()
    wake = driver.start()
    driver.limits.hold("main", reason="no credit", seconds=300.0)
    assert wake
    assert [due_poll.id for due_poll in driver.claim_due_polls(wake)] == ["r1"]


def test_a_refused_submission_still_fails(worker, vendor):
    vendor.override = only("draft", failure(400, "E1", "bad scene; no credits were used"))
    worker.accept("main", ONE)
    worker.submitter.submit(ONE)
    assert worker.state(ONE) == "failed"
