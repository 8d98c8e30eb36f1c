"""A vendor account that hangs costs nobody else: threads, claims and probes of two accounts in one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from harness import until
from harness.fake_vendor import Answer, Call, Drop, FakeVendor
from harness.recorded_dispatcher import RecordedDispatcher
from harness.requests import record
from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.clients import AccountClients
from renderline.accounts.guard import Guard
from renderline.accounts.token import SharedToken
from renderline.bulkhead import Bulkhead
from renderline.ledger import AccountLimits, Ledger, PumpWake
from renderline.polling.confirmation import Confirmation
from renderline.polling.durations import Durations
from renderline.polling.policy import PollPolicy
from renderline.polling.poller import Poller
from renderline.retry import RetryPolicy
from renderline.studio import StudioV3, TokenEndpoint
from renderline.submission.outcome import NotMyTurn, Parked, Submitted
from renderline.submission.submitter import Submitter

THREADS = 4
REQUEST = {
    "kind": "project",
    "name": "Bulkhead",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M1", "clothes": "C1", "language": "en"}}],
}


class Worker:
    """What one worker process does, without Celery, for two accounts at vendors of their own."""

    def __init__(self, redis: Redis, vendors: dict[str, FakeVendor], *, pause: float = 60.0) -> None:
        self.ledger, self.vendors, self.dispatcher = Ledger(redis, grace=30.0), vendors, RecordedDispatcher()
        limits = AccountLimits(self.ledger)
        accounts = {name: self._clients(redis, limits, name, pause) for name in vendors}
        policy = PollPolicy(first_interval=0.01, min_interval=0.01, max_interval=0.05)
        self.poller = Poller(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            durations=Durations(self.ledger),
            accounts=accounts,
            policy=policy,
            lease=30.0,
            confirmation=Confirmation(self.ledger, policy, window=1.0, lease=30.0),
            threads=THREADS,
            patience=0.3,
        )
        self.submitter = Submitter(
            ledger=self.ledger,
            dispatcher=self.dispatcher,
            accounts=accounts,
            mode="two_phase",
            lease=30.0,
            policy=policy,
            durations=Durations(self.ledger),
            retries=RetryPolicy(attempts=30, base=0.05, cap=0.2),
            bulkhead=Bulkhead(each=2, most=3),
        )

    def _clients(self, redis: Redis, limits: AccountLimits, name: str, pause: float) -> AccountClients:
        url = self.vendors[name].url
        guard = Guard(name, limits, CircuitBreaker(limits, name, failures=3, pause=pause))
        tokens = SharedToken(redis, TokenEndpoint(url, app_id="a", user_key="k"), account=name, back_off=guard.back_off)
        v3 = StudioV3(url, tokens=tokens, guard=guard, read_timeout=20.0)
        return AccountClients(name, v3, None, guard=guard, token=tokens)

    def accept(self, account: str, *names: str) -> None:
        for one in names:
            record(self.ledger, one, {**REQUEST, "name": one}, account=account)

    def rendering(self, account: str, *names: str) -> None:
        self.accept(account, *names)
        for one in names:
            assert isinstance(self.submitter.submit(one), Submitted)

    def pump(self, wake: PumpWake) -> Any:
        return self.poller.run(wake.account, slot=wake.slot, ticket=wake.ticket)

    def pump_until(self, account: str, one: str, state: str) -> None:
        """Run the account's first pump, over and over, as its message would."""
        ticket = int(self.ledger.redis.hget(f"{self.ledger.prefix}pump:{account}", "0:ticket") or 0)

        def ended() -> bool:
            nonlocal ticket
            rest = self.pump(PumpWake(account, 0, ticket, 0.0))
            ticket = rest.ticket if rest else ticket
            return self.state(one) == state

        until(ended, what=f"{one} {state}")

    def state(self, one: str) -> str:
        record = self.ledger.record(one)
        assert record
        return str(record["state"])


class Hanging:
    """An override under which one call is not answered until the test is over."""

    def __init__(self, call: str) -> None:
        self.call, self.over, self.waiting = call, threading.Event(), 0
        self._lock = threading.Lock()

    def __call__(self, call: Call) -> Answer | None:
        if call.name == self.call:
            with self._lock:
                self.waiting += 1
            self.over.wait(60)
            raise Drop
        return None


def away(call: Call) -> Answer | None:
    raise Drop


@pytest.fixture
def vendors() -> Iterator[dict[str, FakeVendor]]:
    with FakeVendor(render_seconds=0.05) as hung, FakeVendor(render_seconds=0.05) as well:
        yield {"hung": hung, "well": well}


@pytest.fixture
def new_worker(redis: Redis, vendors: dict[str, FakeVendor]) -> Iterator[Callable[..., Worker]]:
    made: list[Worker] = []

    def new(**options: Any) -> Worker:
        made.append(Worker(redis, vendors, **options))
        return made[-1]

    yield new
    for vendor in vendors.values():
        if isinstance(vendor.override, Hanging):
            vendor.override.over.set()
    for worker in made:
        worker.poller.close()


def test_a_hanging_account_does_not_stop_the_polls_of_others(new_worker, vendors):
    worker = new_worker()
    many = [f"{index:032x}" for index in range(5 * THREADS)]
    worker.rendering("hung", *many)
    worker.rendering("well", "b" * 32)
    vendors["hung"].override = Hanging("progress")
    ticket = int(worker.ledger.redis.hget("renderline:pump:hung", "0:ticket"))
    for _ in range(3):
        rest = worker.pump(PumpWake("hung", 0, ticket, 0.0))
        ticket = rest.ticket
    assert rest.delay > worker.poller.nap, "a pump without free threads gives its Celery thread back"
    worker.pump_until("well", "b" * 32, "delivered")
    assert vendors["hung"].calls["progress"] == THREADS, "what cannot start was called, or claimed, all the same"
    claimed = [one for one in many if worker.ledger.redis.hget(f"renderline:render:{one}", "polling_until")]
    assert len(claimed) == THREADS, "claimed though no thread was free"


def test_an_account_that_goes_away_sees_its_threads_worth_of_calls_and_then_probes(new_worker, vendors):
    worker = new_worker(pause=60.0)
    many = [f"{index:032x}" for index in range(10 * THREADS)]
    worker.rendering("hung", *many)
    vendors["hung"].override = away
    ticket = int(worker.ledger.redis.hget("renderline:pump:hung", "0:ticket"))
    for _ in range(6):
        rest = worker.pump(PumpWake("hung", 0, ticket, 0.0))
        ticket = rest.ticket
    assert vendors["hung"].calls["progress"] <= 2 * THREADS
    assert rest.delay > 50.0, "waits for the probe"


def test_a_poll_claimed_before_the_circuit_opened_makes_no_call(new_worker, vendors):
    worker = new_worker()
    worker.rendering("hung", "a" * 32)
    wake = PumpWake("hung", 0, int(worker.ledger.redis.hget("renderline:pump:hung", "0:ticket")), 0.0)

    clients = worker.poller.accounts["hung"]
    time.sleep(0.02)
    (due_poll,) = worker.ledger.claim_due_polls("hung", slot=wake.slot, ticket=wake.ticket, limit=9, lease=30.0).polls
    claimed_at = time.monotonic()
    vendors["hung"].override = away
    for _ in range(3):
        with pytest.raises(Exception, match="no readable answer"):
            clients.v3.get_project("p1")
    finding = worker.poller.render_poll.poll(clients, due_poll, 0.0, claimed_at)
    assert finding.status == "dropped"
    assert vendors["hung"].calls["progress"] == 0
    worker.ledger.record_poll_results([finding])
    record = worker.ledger.record("a" * 32)
    assert (record["polls"], record["note"]) == (0, None)
    assert worker.ledger.redis.hget(f"renderline:render:{'a' * 32}", "polling_until") is None, "its claim is released"


def test_a_hanging_account_does_not_stop_the_submissions_of_others(new_worker, vendors):
    worker = new_worker()
    vendors["hung"].override = Hanging("draft")
    names = [f"{index:032x}" for index in range(6)]
    worker.accept("hung", *names)
    worker.accept("well", "b" * 32)
    with ThreadPoolExecutor(4) as celery:
        running = [celery.submit(worker.submitter.submit, one) for one in names]
        until(lambda: vendors["hung"].override.waiting == 2, what="all that one worker makes")
        # Behind six of the hanging account, with four threads.
        outcome = celery.submit(worker.submitter.submit, "b" * 32).result(60)
        assert isinstance(outcome, Submitted)
        assert vendors["hung"].override.waiting == 2, "more submissions than the account's share of threads"
        done = [one.result(60) for one in running if one.done()]
        assert len(done) == 4
        assert {type(one) for one in done} <= {Parked, NotMyTurn}
        parked = set(worker.ledger.redis.zrange("renderline:parked:hung", 0, -1))
        sent_again = {one for one, _ in worker.dispatcher.submitted}
        assert len(parked | sent_again) == 4, "parked, or already sent again"
        vendors["hung"].override.over.set()
