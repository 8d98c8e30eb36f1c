"""A receiver that was away for two hours gets everything, without anybody's help."""

from __future__ import annotations

import json
from typing import Final

from redis import Redis

from harness import HOOK_SECRET
from harness.hook_endpoint import HookEndpoint
from harness.ledger import LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HttpHook
from renderline.hooks.delivery import Deliverer
from renderline.hooks.outcome import Done
from renderline.ledger import Entry
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.sweeper import Sweeper
from renderline.tenants import Tenant, Tenants
from tasks.base import LONGEST_COUNTDOWN

AWAY: Final = 7200.0
RENDERS: Final = ("a", "b", "c")


class Workers:
    """What workers do about hooks, in a time that goes on as fast as the test likes: sweeps and deliveries."""

    def __init__(self, redis: Redis, secret: str) -> None:
        self.driver, self.dispatcher = LedgerDriver(redis), RecordedDispatcher()
        tenant = Tenant(name="default", hook_secrets=(secret,))
        kinds = {"http": HttpHook(Tenants(unlisted=tenant), allow_private=True)}
        clock, sent = self.driver.clock, self.dispatcher
        ledger = self.driver.ledger
        self.deliverer = Deliverer(ledger, sent, kinds, HookRetryPolicy(), LEASE, clock=clock)  # type: ignore[arg-type]
        self.sweeper = Sweeper(
            limits=self.driver.limits,
            dispatcher=sent,  # type: ignore[arg-type]
            ledger=ledger,
            every=0.05,
            retention=1e9,
        )
        self.countdowns: list[tuple[float, str, int]] = []

    def finish(self, one: str, url: str, **asked: int) -> None:
        """Bring a render with one hook to its end, and send its message."""
        meta = {"name": one, "metadata": {}, "hooks": [{"type": "http", "url": url, **asked}]}
        assert (
            self.driver.ledger.accept(Entry(one, "project", "main", "normal", 600.0, meta, "{}", "f")).status == "new"
        )
        self.driver.finish(one)
        self.run(one, 0)

    def run(self, one: str, index: int) -> None:
        """Run a hook's message, as the task does: a short wait is a countdown, a long one is left to the sweep."""
        outcome = self.deliverer.deliver(one, index)
        if isinstance(outcome, RetryIn) and outcome.seconds <= LONGEST_COUNTDOWN:
            self.countdowns.append((self.driver.clock() + outcome.seconds, one, index))

    def go_on(self, seconds: float) -> None:
        """Let this time pass: messages come when they are due, and the sweep sends what is overdue."""
        self.driver.clock.forward(seconds)
        due = [one for one in self.countdowns if one[0] <= self.driver.clock()]
        self.countdowns = [one for one in self.countdowns if one not in due]
        for _, one, index in due:
            self.run(one, index)
        self.driver.redis.delete("renderline:sweep")
        assert self.sweeper.sweep()
        ids, self.dispatcher.hooked[:] = list(self.dispatcher.hooked), []
        for one, index in self.driver.ledger.queue_hooks(ids):
            self.run(one, index)


def test_a_receiver_that_was_away_for_two_hours_needs_no_operator(redis: Redis) -> None:
    workers = Workers(redis, HOOK_SECRET)
    clock = workers.driver.clock
    back_at = clock() + AWAY
    with HookEndpoint(lambda _: 503 if clock() < back_at else 204) as endpoint:
        for one in RENDERS:
            workers.finish(one, endpoint.url)
        while clock() < back_at:
            workers.go_on(300.0)
        failed = len(endpoint.bodies)
        assert {workers.driver.state(one) for one in RENDERS} == {"completed"}
        assert failed <= 12 * len(RENDERS), "an endpoint that is away is called now and then"
        # At the latest after the wait that had begun: the longest one until then is 2 h and a fifth.
        while {workers.driver.state(one) for one in RENDERS} != {"delivered"}:
            assert clock() < back_at + 1.3 * 7200
            workers.go_on(300.0)
        received = [endpoint.take() for _ in endpoint.bodies]
    came = [json.loads(body)["data"]["id"] for _, body in received[failed:]]
    assert sorted(came) == list(RENDERS), "each once"
    assert {headers["webhook-id"] for headers, _ in received} == {f"msg_{one}_1_0" for one in RENDERS}


def test_a_hook_that_asks_for_less_is_given_up_then(redis: Redis) -> None:
    workers = Workers(redis, HOOK_SECRET)
    with HookEndpoint(lambda _: 503) as endpoint:
        workers.finish("short", endpoint.url, retry_for=60)
        workers.finish("once", endpoint.url, attempts=1)
        assert workers.driver.state("once") == "undelivered"
        for _ in range(8):
            workers.go_on(10.0)
    assert workers.driver.state("short") == "undelivered"
    assert workers.deliverer.deliver("short", 0) == Done()
