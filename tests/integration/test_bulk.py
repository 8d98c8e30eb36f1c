"""One operation on many renders: each by itself, with the rights of the actor, over all doors alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.ledger import LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.bulk import ACTIONS, Bulk, BulkRefused
from renderline.ledger import Audit, Filter, Queries
from renderline.operations import Operations
from renderline.search import Search
from renderline.tenants import COMMAND_LINE, Actor, Tenant, Tenants

ACME = Actor(door="http", tenant="acme", key_id="0" * 12, name="billing")


@pytest.fixture
def dispatcher() -> RecordedDispatcher:
    return RecordedDispatcher()


@pytest.fixture
def bulk(driver: LedgerDriver, dispatcher: RecordedDispatcher) -> Bulk:
    operations = Operations(driver.ledger, dispatcher, ["main"])
    return Bulk(Search(driver.ledger, Queries(driver.ledger)), operations)


def name(number: int) -> str:
    return f"{number:032x}"


def failed(driver: LedgerDriver, count: int, *, tenant: str = "default", code: str = "7001") -> list[str]:
    """Renders that failed, one after another; returns the newest first."""
    first = int(driver.redis.zcard("renderline:renders"))
    ids = [name(first + number) for number in range(count)]
    for one in ids:
        driver.clock.forward(0.01)
        driver.accept(one, tenant=tenant, hooks=1)
        driver.ledger.fail(one, code=code, message="no such voice", origin="vendor")
    return ids[::-1]


def test_failed_renders_are_retried_in_pages(driver: LedgerDriver, bulk: Bulk, dispatcher: RecordedDispatcher) -> None:
    ids = failed(driver, 250)
    wanted = Filter(state="failed", error_code="7001")
    dry = bulk.run("retry", wanted, actor=COMMAND_LINE, dry_run=True)
    assert (dry.matched, dry.done, dry.refused, dry.more) == (250, ids, [], False)
    assert driver.state(ids[0]) == "failed"
    first = bulk.run("retry", wanted, actor=COMMAND_LINE, limit=120)
    assert (first.matched, first.done, first.more) == (120, ids[:120], True)
    rest = bulk.run("retry", wanted, actor=COMMAND_LINE, cursor=first.cursor)
    assert (rest.done, rest.more, rest.cursor) == (ids[120:], False, None)
    assert {driver.state(one) for one in ids} == {"accepted"}
    assert len(dispatcher.submitted) == 8, "the others wait for their turn"
    trail = Audit(driver.redis).entries(limit=1000)
    assert len([entry for entry in trail if (entry.action, entry.outcome) == ("retry", "done")]) == 250


def test_one_that_changed_meanwhile_is_refused_and_the_others_go_on(driver: LedgerDriver, bulk: Bulk) -> None:
    ids = failed(driver, 5)
    driver.operations.retry(ids[2])
    done = bulk.on("retry", ids, actor=COMMAND_LINE)
    assert done.done == [ids[0], ids[1], ids[3], ids[4]]
    assert done.refused == [(ids[2], "The render is accepted: only a failed or expired one can be retried.")]


def test_each_action_applies_to_the_states_of_its_single_operation(driver: LedgerDriver, bulk: Bulk) -> None:
    for action in ACTIONS:
        driver.redis.flushall()
        accepted, held, delivered, dead = map(name, (1, 2, 3, 4))
        (lost,) = failed(driver, 1)
        for one in (accepted, held):
            driver.accept(one)
        driver.operations.hold(held, by="anna", reason="")
        driver.complete(delivered, hooks=0)
        driver.complete(dead, hooks=1)
        driver.ledger.record_hook(dead, 0, driver.ledger.claim_hook(dead, 0, lease=20.0), outcome="dead", error="410")
        expected = {
            "retry": {lost},
            "cancel": {accepted, held},
            "hold": {accepted},
            "release": {held},
            "replay": {dead},
        }[action]
        done = bulk.run(action, Filter(), every=True, actor=COMMAND_LINE)
        assert {*done.done} == expected, action
        assert (done.refused, done.more) == ([], False)


def test_hold_and_release_of_many_keep_their_reason(driver: LedgerDriver, bulk: Bulk) -> None:
    ids = [name(number) for number in range(30)]
    for one in ids:
        driver.accept(one)
    assert bulk.run("hold", Filter(account="main"), actor=COMMAND_LINE, reason="wrong \x1b[2Jlogo").matched == 30
    assert driver.record(ids[7])["held"]["reason"] == "wrong [2Jlogo"
    assert driver.limits.unpark() == []
    assert bulk.run("release", Filter(account="main"), actor=COMMAND_LINE).matched == 30
    assert not any(driver.record(one)["held"] for one in ids)


def test_a_tenant_reaches_its_own_renders_alone(driver: LedgerDriver, bulk: Bulk) -> None:
    theirs = failed(driver, 3)
    own = failed(driver, 3, tenant="acme")
    assert bulk.run("retry", Filter(tenant="default"), actor=ACME).matched == 0
    assert bulk.run("retry", Filter(ids=tuple(theirs)), actor=ACME).matched == 0
    assert [why for _, why in bulk.on("retry", theirs[:1], actor=ACME).refused] == [f"Render not found: {theirs[0]}."]
    assert bulk.run("retry", Filter(), every=True, actor=ACME).done == own
    assert {driver.state(one) for one in theirs} == {"failed"}


def test_a_foreign_render_is_neither_held_nor_released(driver: LedgerDriver, bulk: Bulk) -> None:
    waiting, held = name(1), name(2)
    for one in (waiting, held):
        driver.accept(one)
    bulk.operations.hold(held, actor=COMMAND_LINE)
    assert bulk.on("hold", [waiting], actor=ACME).refused == [(waiting, f"Render not found: {waiting}.")]
    assert bulk.on("release", [held], actor=ACME).refused == [(held, f"Render not found: {held}.")]
    assert [bool(driver.record(one)["held"]) for one in (waiting, held)] == [False, True]


def test_a_quota_ends_no_run(driver: LedgerDriver, dispatcher: RecordedDispatcher, bulk: Bulk) -> None:
    own = failed(driver, 4, tenant="acme")
    tenants = Tenants([Tenant(name="acme", max_in_flight=2)])
    limited = replace(bulk, operations=replace(bulk.operations, tenants=tenants))
    done = limited.run("retry", Filter(state="failed"), actor=ACME)
    assert (done.done, [one for one, _ in done.refused]) == (own[:2], own[2:])


def test_an_account_that_the_key_may_not_use_is_not_spent(driver: LedgerDriver, bulk: Bulk) -> None:
    own = failed(driver, 1, tenant="acme")
    bound: Any = replace(ACME, accounts=("other",))
    (refused,) = bulk.run("retry", Filter(state="failed"), actor=bound).refused
    assert refused[0] == own[0]


def test_dead_hooks_that_were_discarded_are_not_replayed(driver: LedgerDriver, bulk: Bulk) -> None:
    for number in (1, 2):
        driver.complete(name(number), hooks=1)
        claim = driver.ledger.claim_hook(name(number), 0, lease=20.0)
        driver.ledger.record_hook(name(number), 0, claim, outcome="dead", error="410")
    driver.operations.discard(name(1), 0)
    assert bulk.run("replay", Filter(state="undelivered"), actor=COMMAND_LINE).done == [name(2)]
    assert bulk.on("replay", [name(1)], actor=COMMAND_LINE).refused == [
        (name(1), "The render has no dead-lettered hook.")
    ]


def test_what_makes_no_sense_is_refused_as_a_whole(bulk: Bulk) -> None:
    with pytest.raises(BulkRefused, match="without one cancel concerns every render"):
        bulk.run("cancel", Filter(), actor=COMMAND_LINE)
    with pytest.raises(BulkRefused, match="retry applies to renders that are failed or expired, not delivered"):
        bulk.run("retry", Filter(state="delivered"), actor=COMMAND_LINE)
    with pytest.raises(BulkRefused, match="cursor"):
        bulk.run("retry", Filter(state="failed"), actor=COMMAND_LINE, cursor="nonsense")
