"""A host that answers again after an outage gets the hooks that failed there, one after the other, not hours later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import Schema
from redis import Redis

from harness.ledger import LEASE, LedgerDriver, accept_render
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HookFailed
from renderline.hooks.delivery import Deliverer
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.tenants import DEFAULT

HOUR = 3600.0
LATE = HookRetryPolicy(waits=(2 * HOUR,))


class Endpoint:
    """A hook kind whose receiver answers as the test says; each render's metadata names its host."""

    type = "http"
    schema = Schema()

    def __init__(self) -> None:
        self.answers: Callable[[str], bool] = lambda _: True
        self.retry_after: float | None = None
        self.calls: list[str] = []
        self.delivered: list[str] = []

    def wants(self, event: str, hook: Any = None) -> bool:
        return True

    def problem(self, hook: Any) -> str | None:
        return None

    def host(self, hook: Any, record: Any) -> str:
        return str(record["metadata"].get("host", "a.example:443"))

    def deliver(self, hook: Any, delivery: Any) -> dict[str, Any]:
        one = delivery.record["id"]
        self.calls.append(one)
        if not self.answers(one):
            raise HookFailed("answered 503", retry_after=self.retry_after, status=503)
        self.delivered.append(one)
        return {}


class Workers:
    """What workers do about hooks, in a time that only the test moves."""

    def __init__(self, redis: Redis, retries: HookRetryPolicy = LATE) -> None:
        self.driver, self.endpoint = LedgerDriver(redis), Endpoint()
        self.dispatcher = RecordedDispatcher()
        self.retries: list[float] = []
        self.most_waiting = 0
        self.deliverer = Deliverer(
            self.driver.ledger,
            self.dispatcher,  # type: ignore[arg-type]
            {"http": self.endpoint},
            retries,
            LEASE,
            clock=self.driver.clock,
        )

    def finish(self, *names: str, account: str = "main", tenant: str = DEFAULT, host: str = "", **hook: Any) -> None:
        """Bring renders with one hook to their end, and run the hook."""
        for one in names:
            self.end(one, account=account, tenant=tenant, host=host, **hook)
            self.run(one)

    def end(self, one: str, *, account: str, tenant: str, host: str, **hook: Any) -> None:
        meta = {"name": one, "metadata": {"host": host} if host else {}, "hooks": [{"type": "http", **hook}]}
        accept_render(self.driver.ledger, one, account=account, tenant=tenant, meta=meta)
        claim = self.driver.claim(one)
        assert self.driver.ledger.complete(claim, stage="export", project_id=f"p-{one}", url="https://v/1.mp4")

    def run(self, one: str) -> None:
        self.driver.clock.forward(0.01)
        outcome = self.deliverer.deliver(one, 0)
        if isinstance(outcome, RetryIn):
            self.retries.append(outcome.seconds)

    def work(self, *, places: int = 2) -> None:
        """Run what was published, and what waits, until nothing is left to do now."""
        sent = self.dispatcher.sent_hooks
        while True:
            self.most_waiting = max(self.most_waiting, self.waiting())
            sent += self.driver.ledger.take_hooks(places).hooks
            if not sent:
                return
            self.run(sent.pop(0)[0])

    def waiting(self) -> int:
        return sum(self.driver.redis.zcard(key) for key in self.driver.redis.scan_iter("renderline:waiting_hooks:*"))


@pytest.fixture
def workers(redis: Redis) -> Workers:
    return Workers(redis)


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:02}" for number in range(count)]


def test_the_first_answer_after_an_outage_brings_all_hooks_of_the_host_forward(workers: Workers) -> None:
    away = names("r", 30)
    workers.endpoint.answers = lambda _: False
    workers.finish(*away)
    workers.driver.clock.forward(HOUR)
    workers.work()
    assert workers.endpoint.calls == away, "nothing is brought forward while it is away"
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work()
    assert sorted(workers.endpoint.delivered) == ["new", *away], "each once, and without a minute passing"
    assert {workers.driver.state(one) for one in away} == {"delivered"}
    assert workers.most_waiting <= 8, "a few at a time, so that nothing floods it"
    assert [key for key in workers.driver.redis.scan_iter("renderline:*") if "outage" in key or "retrying" in key] == []


def test_those_that_failed_first_come_first(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    for one in (away := names("r", 12)):
        workers.finish(one)
        workers.driver.clock.forward(1.0)
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work(places=1)
    order = [away.index(one) for one in workers.endpoint.delivered[1:]]
    assert all(abs(place - number) < 8 for place, number in enumerate(order)), order


def test_a_host_that_goes_away_again_gets_a_few_calls_more(workers: Workers) -> None:
    away = names("r", 40)
    workers.endpoint.answers = lambda _: False
    workers.finish(*away)
    workers.endpoint.answers = lambda one: one == "new"
    workers.finish("new")
    before = len(workers.endpoint.calls)
    workers.work()
    assert len(workers.endpoint.calls) - before <= 2, "two for the one that it took"
    workers.driver.clock.forward(HOUR)
    workers.work()
    assert len(workers.endpoint.calls) - before <= 2


def test_a_host_that_flaps_is_not_flooded(workers: Workers) -> None:
    away = names("r", 60)
    workers.endpoint.answers = lambda _: False
    workers.finish(*away)
    workers.endpoint.calls.clear()
    calls = iter(range(10_000))
    workers.endpoint.answers = lambda _: next(calls) % 4 == 0
    for number in range(8):
        workers.finish(f"new{number}")
        workers.work()
    assert len(workers.endpoint.calls) <= 8 + 2 * len(workers.endpoint.delivered)
    assert max(Counter(workers.endpoint.calls).values()) <= 2


def test_a_hook_that_fails_alone_keeps_to_its_own_time(workers: Workers) -> None:
    workers.endpoint.answers = lambda one: one != "poison"
    workers.finish("poison", *names("r", 30))
    workers.work()
    assert Counter(workers.endpoint.calls)["poison"] == 1, "its host works: it is no outage"


def test_one_that_fails_again_is_not_called_again_and_again(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    workers.finish("poison", *names("r", 10))
    workers.endpoint.answers = lambda one: one != "poison"
    for one in names("new", 30):
        workers.finish(one)
        workers.work()
    assert Counter(workers.endpoint.calls)["poison"] == 2


def test_an_early_call_that_fails_does_not_put_off_the_next_one(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    workers.finish("poison", *names("r", 5))
    (planned,) = workers.driver.redis.hmget("renderline:render:poison", "h0:until")
    workers.driver.clock.forward(HOUR)
    workers.endpoint.answers = lambda one: one != "poison"
    workers.finish("new")
    workers.work()
    assert Counter(workers.endpoint.calls)["poison"] == 2
    assert workers.driver.redis.hmget("renderline:render:poison", "h0:until") == [planned]


def test_a_retry_after_of_the_endpoint_holds(workers: Workers) -> None:
    away = names("r", 6)
    workers.endpoint.answers, workers.endpoint.retry_after = (lambda _: False), 900.0
    workers.finish(*away)
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work()
    assert workers.endpoint.delivered == ["new"], "not before the time that it asked for"
    until = [float(workers.driver.redis.hget(f"renderline:render:{one}", "h0:until") or 0) for one in away]
    assert until == pytest.approx([workers.driver.clock() + 900.0] * 6, abs=1.0), "and not later"


def test_the_last_call_of_a_hook_is_kept_for_its_own_time(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    workers.finish(*(away := names("r", 6)), attempts=2)
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work()
    assert workers.endpoint.calls == [*away, "new"]


def test_owners_take_turns(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    workers.finish(*names("many", 30))
    workers.finish("few00", "few01", account="other")
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work(places=1)
    assert {"few00", "few01"} <= set(workers.endpoint.delivered[:8])


def test_another_host_wakes_nobody(workers: Workers) -> None:
    workers.endpoint.answers = lambda one: one == "new"
    workers.finish(*names("r", 6), host="b.example:443")
    workers.finish("new", host="c.example:443")
    workers.work()
    assert workers.endpoint.delivered == ["new"]


def test_what_is_gone_by_then_is_passed_over(workers: Workers) -> None:
    workers.endpoint.answers = lambda _: False
    workers.finish(*names("r", 8))
    for one in names("r", 4):
        workers.driver.redis.delete(f"renderline:render:{one}")
    workers.endpoint.answers = lambda _: True
    workers.finish("new")
    workers.work()
    assert sorted(workers.endpoint.delivered) == ["new", "r04", "r05", "r06", "r07"]
