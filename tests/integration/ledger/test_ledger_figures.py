"""Totals, minutes and indexes follow what happens, heal after older versions, and are made anew by a reindex."""

from __future__ import annotations

import json

import pytest
from redis import Redis

from harness.ledger import LEASE, accept_render
from renderline.ledger import Filter, Ledger, Queries, Statistics, Total
from renderline.ledger.reindex import Reindex
from tests.integration.ledger.ledger_figures import check_figures

LABELS = ("customer", "order")


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


def accept(ledger: Ledger, one: str, *, name: str = "Welcome", customer: object = None, **changes) -> str:
    render_id = one.rjust(32, "0")
    meta = {"name": name, "hooks": [], "metadata": {} if customer is None else {"customer": customer}}
    accept_render(ledger, render_id, meta=meta, **{"labels": LABELS, **changes})
    return render_id


def found(ledger: Ledger, labels=LABELS, **wanted) -> list[str]:
    records, cursor = Queries(ledger, labels=labels).page(Filter(**wanted))
    assert cursor is None
    return [record["id"].lstrip("0") for record in records]


def test_totals_follow_a_render_until_it_is_forgotten(driver):
    driver.accept("r1", tenant="acme")
    driver.complete("r2", hooks=0)
    driver.accept("r3")
    driver.operations.cancel("r3")
    assert Statistics(driver.ledger).totals() == [
        Total("accepted", "project", "main", "acme", 1),
        Total("canceled", "project", "main", "default", 1),
        Total("delivered", "project", "main", "default", 1),
    ]
    assert Statistics(driver.ledger).totals("acme") == [Total("accepted", "project", "main", "acme", 1)]
    assert [one.state for one in Statistics(driver.ledger).totals("default")] == ["canceled", "delivered"]
    driver.clock.forward(1000)
    driver.ledger.forget(retention=10)
    assert Statistics(driver.ledger).totals("default") == []
    check_figures(driver.ledger)


def test_a_render_that_an_older_version_accepted_or_moved_is_counted_at_its_next_transition(driver):
    driver.accept("r1")
    driver.redis.hdel("renderline:render:r1", "counted")
    driver.redis.delete("renderline:statistics:0")
    driver.start("r1")
    assert Statistics(driver.ledger).totals() == [Total("rendering", "project", "main", "default", 1)]
    # As a step of an older version does it.
    driver.redis.hset("renderline:render:r1", "state", "unconfirmed")
    driver.redis.zrem("renderline:state:rendering", "r1")
    driver.redis.zadd("renderline:state:unconfirmed", {"r1": driver.clock()})
    driver.operations.cancel("r1")
    check_figures(driver.ledger)


def test_minutes_show_what_happened_to_whom(redis, ledger):
    accept(ledger, "a")
    accept(ledger, "b", tenant="acme")
    ledger.claim_submission("b".rjust(32, "0"), lease=LEASE)
    ledger.fail("a".rjust(32, "0"), code="X", message="no", origin="vendor")

    def sums(tenant=None):
        minutes = Statistics(ledger).minutes(tenant, count=3)
        assert len(minutes) == 3
        return sum(one.accepted for one in minutes), sum(one.failed for one in minutes)

    assert (sums(), sums("default"), sums("acme"), sums("other")) == ((2, 1), (1, 1), (1, 0), (0, 0))
    assert all(0 < redis.ttl(key) <= 7200 for key in redis.scan_iter("renderline:minute:*"))


def test_a_completed_render_is_charted_with_its_credits_and_the_lag_after_the_webhook(driver):
    driver.accept("r1")
    driver.start("r1")
    _, wake = driver.operations.record_webhook("r1", progress=100.0, credit=2.5, poll_in=5.0)
    driver.clock.forward(3)
    (due_poll,) = driver.claim_due_polls(wake)
    driver.record_result(due_poll, "done", url="https://v/1.mp4")
    minute = int(driver.clock()) // 60
    hashes = [driver.redis.hgetall(f"renderline:minute:{number}") for number in (minute - 1, minute)]
    charted = {name: value for one in hashes for name, value in one.items()}
    lag = float(charted.pop("lag"))
    assert charted == {"accepted": "1", "completed": "1", "delivered": "1", "credits": "2.5", "lags": "1"}
    assert 3 <= lag < 10


def test_a_render_is_found_by_name_word_label_and_key(ledger):
    accept(ledger, "a", name="Welcome, Customer 317", customer=317)
    accept(ledger, "b", name="WELCOME back", customer="318")
    accept(ledger, "c", name="Offer", customer="317", tenant="acme")
    assert found(ledger, name="welcome") == ["b", "a"]
    assert found(ledger, text="317") == ["c", "a"]
    assert found(ledger, text="317", tenant="default") == ["a"]
    assert found(ledger, text="customer 3") == ["a"]
    assert found(ledger, metadata=(("customer", "317"),)) == ["c", "a"]
    assert found(ledger, metadata=(("customer", "317"),), tenant="acme") == ["c"]
    assert found(ledger, metadata=(("customer", "317"),), account="other") == []
    assert found(ledger, text="c".rjust(32, "0")) == ["c"]
    assert found(ledger, text="c".rjust(32, "0"), tenant="default") == []
    assert found(ledger, ids=("b".rjust(32, "0"), "nobody")) == ["b"]
    check_figures(ledger, LABELS)


@pytest.mark.parametrize("name", ["\ud800 half", '"indexed":["x"]', "a\tb\x00\n", "]}", "İstanbul ß" * 20, "\\"])
def test_an_odd_name_is_indexed_and_forgotten(driver, name):
    meta = {"name": name, "hooks": [], "metadata": {"indexed": ["", "x"], "customer": name}, "warnings": ["]}"]}
    accept_render(driver.ledger, "r1", meta=meta, labels=LABELS)
    check_figures(driver.ledger, LABELS)
    driver.operations.cancel("r1")
    driver.clock.forward(100)
    assert driver.ledger.forget(retention=10) == 1
    assert not [*driver.redis.scan_iter("renderline:names*"), *driver.redis.scan_iter("renderline:labels*")]


def test_pages_of_an_index_neither_repeat_nor_lose_a_render(ledger):
    ids = [accept(ledger, f"{number:x}", name=f"Spring {number % 3}", customer=number % 2) for number in range(1, 40)]
    queries, pages, cursor = Queries(ledger, labels=LABELS), [], None
    while True:
        records, cursor = queries.page(Filter(name="spring", metadata=(("customer", "1"),)), limit=3, cursor=cursor)
        pages += [record["id"] for record in records]
        if cursor is None:
            break
    assert sorted(pages) == [one for one in ids if int(one, 16) % 2], "each once"
    times = [record["times"]["accepted"] for record in ledger.records(pages) if record]
    assert times == sorted(times, reverse=True)


def test_without_a_complete_index_the_renders_are_looked_through(redis, ledger):
    """As after an upgrade: some are in the index, and older ones are not."""
    accept(ledger, "a", name="Old one", customer="x")
    for key in redis.scan_iter("renderline:*"):
        if key.split(":")[1].split("@")[0] in ("names", "labels", "indexed", "statistics"):
            redis.delete(key)
    redis.zadd("renderline:renders", {"a".rjust(32, "0"): 1_000_000_000})
    accept(ledger, "b", name="Old two", customer="x")
    assert found(ledger, name="old") == found(ledger, text="x") == ["b", "a"]
    (outcome,) = list(Reindex(ledger, LABELS).run())[-1:]
    assert (outcome.seen, outcome.unreadable, outcome.done) == (2, [], True)
    check_figures(ledger, LABELS)
    assert found(ledger, name="old") == found(ledger, text="x") == ["b", "a"]


def test_a_reindex_follows_new_labels_and_drops_what_is_gone(redis, ledger):
    one = accept(ledger, "a", customer="x", labels=("customer",))
    redis.zadd("renderline:names", {"gone\tnobody": 0})
    redis.hset("renderline:statistics:0", "failed|project|main", 7)
    outcome = list(Reindex(ledger, ("order",)).run())[-1]
    assert outcome.dropped == 1
    check_figures(ledger, ("order",))
    assert set(redis.hkeys("renderline:indexed")) == {"", "order"}
    assert "order" not in json.loads(redis.get(f"renderline:meta:{one}"))["indexed"]
    list(Reindex(ledger, LABELS).run())
    check_figures(ledger, LABELS)


def test_totals_are_right_during_a_reindex_and_after_one_that_was_killed(driver):
    for number in range(5):
        driver.accept(f"r{number}")
    run = Reindex(driver.ledger, ()).run()
    next(run)
    driver.operations.cancel("r0")
    driver.accept("new")
    check_totals = {one.state: one.count for one in Statistics(driver.ledger).totals()}
    assert check_totals == {"accepted": 5, "canceled": 1}
    run.close()
    driver.operations.cancel("r1")
    assert {one.state: one.count for one in Statistics(driver.ledger).totals()} == {"accepted": 4, "canceled": 2}
    assert list(Reindex(driver.ledger, ()).run())[-1].done
    check_figures(driver.ledger)


def test_a_search_for_many_names_of_metadata_holds_redis_for_moments(redis, ledger):
    names = [f"{number:x}" for number in range(1300)]
    meta = {"name": "Large", "hooks": [], "metadata": dict.fromkeys(names, '""')}
    for number in range(200):
        accept_render(ledger, f"{number:032x}", meta=meta)
    wishes = [tuple((name, '""') for name in names[-100:]), tuple((f"no {number}", "x") for number in range(30_000))]

    def longest():
        redis.slowlog_reset()
        counts = [len(Queries(ledger).page(Filter(metadata=wanted), limit=500)[0]) for wanted in wishes]
        assert counts == [200, 0]
        return max((entry["duration"] for entry in redis.slowlog_get(500)), default=0)

    redis.config_set("slowlog-log-slower-than", 5_000)
    # Microseconds. The shortest of three runs, for the machine may be busy.
    assert min(longest() for _ in range(3)) < 25_000


@pytest.mark.parametrize("score", ["nan", "inf", "-inf", "1e999", "0x1p4", "1_0", "٣", "", "1" * 400, "1.5.5"])
def test_a_cursor_with_another_number_than_lists_give_never_reaches_redis(ledger, score):
    with pytest.raises(ValueError, match="not a cursor"):
        Queries(ledger).page(Filter(), cursor=f"{score}-{'0' * 32}")
