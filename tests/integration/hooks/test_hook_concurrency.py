"""A hanging endpoint holds a few threads, and nobody else's hooks wait for it."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from marshmallow import Schema

from harness import until
from harness.ledger import GRACE, LEASE, LedgerDriver
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import HookFailed
from renderline.hooks.concurrency import FAILURES, HookConcurrency
from renderline.hooks.delivery import Deliverer
from renderline.hooks.retry import HookRetryPolicy
from renderline.ledger import AccountLimits, Ledger
from renderline.retry import RetryIn


class Endpoints:
    """A hook kind that calls the host which the render's name begins with; what hangs hangs until `over`."""

    type = "http"
    schema = Schema()

    def __init__(self) -> None:
        self.hanging: set[str] = set()
        self.away: set[str] = set()
        self.over = threading.Event()
        self.calls: Counter[str] = Counter()
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_of_all = 0
        self._lock = threading.Lock()

    def wants(self, event: str, hook: Any = None) -> bool:
        return True

    def problem(self, hook: Any) -> str | None:
        return None

    def host(self, hook: Any, record: Any) -> str:
        return str(record["metadata"]["order"]).partition(".")[0]

    def deliver(self, hook: Any, delivery: Any) -> dict[str, Any]:
        host = self.host(hook, delivery.record)
        with self._lock:
            self.calls[host] += 1
            self.running[host] += 1
            self.most[host] = max(self.most[host], self.running[host])
            self.most_of_all = max(self.most_of_all, self.running.total())
        try:
            if host in self.hanging:
                assert self.over.wait(60)
            if host in self.away:
                raise HookFailed("was not reached", unreachable=True)
            return {}
        finally:
            with self._lock:
                self.running[host] -= 1


class Worker:
    """A worker process with 16 threads that takes hook messages, as the hook task does."""

    def __init__(self, driver: LedgerDriver) -> None:
        self.driver, self.endpoints = driver, Endpoints()
        self.places = HookConcurrency(driver.limits, share=8)
        self.dispatcher = RecordedDispatcher()
        self.dispatcher.sent_hooks = self.queue = deque()
        self.deliverer = Deliverer(
            ledger=driver.ledger,
            dispatcher=self.dispatcher,
            kinds={"http": self.endpoints},
            retries=HookRetryPolicy(),
            lease=LEASE,
            concurrency=self.places,
        )
        self._threads = ThreadPoolExecutor(16)
        self._stopped = threading.Event()
        self._busy = threading.Semaphore(16)
        self._taking = threading.Thread(target=self._take, daemon=True)
        self._taking.start()

    def completed(self, *names: str, account: str) -> None:
        """Have renders of an account complete, each with one hook."""
        for one in names:
            self.driver.accept(one, hooks=1, account=account)
            claim = self.driver.claim(one)
            _, wake = self.driver.ledger.start(claim, confirmed=True, project_id=one, poll_in=0.0)
            self.driver.clock.forward(0.01)
            batch = None
            for pump in [wake, *self.driver.ledger.restart_pumps()]:
                if pump and pump.account == account:
                    batch = self.driver.ledger.claim_due_polls(
                        account, slot=pump.slot, ticket=pump.ticket, limit=9, lease=LEASE
                    )
            if batch is None:
                self.driver.clock.forward(2 * GRACE)
                wake = next(wake for wake in self.driver.ledger.restart_pumps() if wake.account == account)
                batch = self.driver.ledger.claim_due_polls(
                    account, slot=wake.slot, ticket=wake.ticket, limit=9, lease=LEASE
                )
            for due_poll in batch.polls if batch else ():
                assert self.driver.record_result(due_poll, "done", url="https://v/1.mp4")
        self.queue.extend(self.driver.ledger.queue_hooks(names))

    def _take(self) -> None:
        while not self._stopped.is_set():
            if not self.queue:
                time.sleep(0.005)
                continue
            self._busy.acquire()
            self._threads.submit(self._run, *self.queue.popleft())

    def _run(self, one: str, index: int) -> None:
        try:
            outcome = self.deliverer.deliver(one, index)
            assert not isinstance(outcome, RetryIn) or outcome.seconds > 0
        finally:
            self._busy.release()

    def pause(self) -> None:
        """Take no more messages; those that were taken go on."""
        self._stopped.set()
        self._taking.join(60)

    def work(self) -> None:
        """Run the queued messages, and those that follow, one after the other in this thread."""
        while self.queue:
            self.deliverer.deliver(*self.queue.popleft())

    @property
    def idle(self) -> int:
        """How many threads have nothing to do."""
        return int(self._busy._value)

    def delivered(self, *names: str) -> bool:
        return all(self.driver.state(one) == "delivered" for one in names)

    def close(self) -> None:
        self.endpoints.over.set()
        self._stopped.set()
        self._taking.join(60)
        self._threads.shutdown(wait=True)


@pytest.fixture
def worker(driver: LedgerDriver) -> Iterator[Worker]:
    one = Worker(driver)
    yield one
    one.close()


def names(host: str, count: int) -> list[str]:
    return [f"{host}.{index:03}" for index in range(count)]


def test_a_hanging_endpoint_holds_few_threads_and_nobody_elses_hooks(worker: Worker) -> None:
    worker.endpoints.hanging.add("hangs")
    worker.completed(*names("hangs", 60), account="a")
    until(lambda: worker.endpoints.running["hangs"] == 2, what="its places taken")
    until(lambda: worker.idle >= 14 and not worker.queue, what="the other threads free")
    worker.completed("well.1", account="b")
    worker.completed("well.2", account="a")
    until(lambda: worker.delivered("well.1", "well.2"), what="hooks of another host, of the same account too")
    assert worker.endpoints.most["hangs"] == 2
    worker.endpoints.over.set()


def test_what_waited_for_a_place_is_delivered_when_it_gets_free(worker: Worker) -> None:
    worker.endpoints.hanging.add("hangs")
    waiting = names("hangs", 40)
    worker.completed(*waiting, account="a")
    until(lambda: worker.endpoints.running["hangs"] == 2)
    worker.endpoints.hanging.clear()
    worker.endpoints.over.set()
    until(lambda: worker.delivered(*waiting), what="all that waited")
    assert worker.endpoints.calls["hangs"] == 40
    assert all(worker.driver.record(one)["hooks"][0]["attempts"] == 1 for one in waiting)
    assert worker.driver.redis.keys("renderline:waiting_hooks:*") == []


def test_many_hanging_endpoints_leave_threads_to_submissions(worker: Worker) -> None:
    for host in range(12):
        worker.endpoints.hanging.add(f"h{host}")
    worker.completed(*(f"h{host}.{index}" for host in range(12) for index in range(3)), account="a")
    until(lambda: worker.endpoints.running.total() == 8, what="all places for hooks taken")
    until(lambda: worker.idle == 8 and not worker.queue, what="half of the threads free")
    assert worker.endpoints.most_of_all == 8


def test_a_hook_does_not_wait_behind_hundreds_of_another_account(worker: Worker) -> None:
    gate, begun = threading.Event(), []
    deliver = worker.endpoints.deliver

    def one_at_a_time(hook: Any, delivery: Any) -> dict[str, Any]:
        assert gate.wait(60)
        begun.append(delivery.record["id"])
        return deliver(hook, delivery)

    def waiting(account: str) -> int:
        return int(worker.driver.redis.zcard(f"renderline:waiting_hooks:{account}|shared"))

    worker.endpoints.deliver = one_at_a_time  # type: ignore[method-assign]
    worker.completed(*names("shared", 150), account="big")
    until(lambda: waiting("big") == 148, what="all but those in the two places of the host")
    worker.completed("shared.small", account="small")
    until(lambda: waiting("small") == 1, what="it waits behind them")
    # From here one thread works, so that what is begun comes in the order in which the ledger sends it.
    worker.pause()
    gate.set()
    until(lambda: worker.idle == 16, what="the two places free")
    worker.work()
    assert worker.delivered("shared.small", *names("shared", 150))
    assert begun.index("shared.small") <= 20, begun


def test_waiting_hooks_burn_no_attempts_while_their_endpoint_is_away(worker: Worker) -> None:
    worker.endpoints.away.add("gone")
    worker.completed(*names("gone", FAILURES), account="a")
    until(lambda: worker.endpoints.calls["gone"] == FAILURES, what="its circuit opened")
    until(lambda: worker.idle == 16)
    later = [f"gone.later{index}" for index in range(20)]
    worker.completed(*later, account="a")
    until(lambda: worker.idle == 16 and not worker.queue)
    assert worker.endpoints.calls["gone"] == FAILURES
    assert {worker.driver.record(one)["hooks"][0]["attempts"] for one in later} == {0}
    worker.endpoints.away.clear()
    worker.driver.clock.forward(60.0)

    def back() -> bool:
        worker.deliverer.send_waiting()
        return worker.delivered(*later)

    until(back, what="delivered once it is back")


def test_a_probe_is_one_call(worker: Worker) -> None:
    worker.endpoints.away.add("gone")
    worker.completed(*names("gone", FAILURES), account="a")
    until(lambda: worker.endpoints.calls["gone"] == FAILURES and worker.idle == 16)
    worker.completed(*(f"gone.later{index}" for index in range(20)), account="a")
    until(lambda: worker.idle == 16 and not worker.queue)
    for probes in range(1, 4):
        worker.driver.clock.forward(25.0)
        for _ in range(5):
            worker.deliverer.send_waiting()
        until(lambda expected=FAILURES + probes: worker.endpoints.calls["gone"] >= expected, what="a probe")
        until(lambda: worker.idle == 16 and not worker.queue)
        assert worker.endpoints.calls["gone"] == FAILURES + probes


def test_another_worker_knows_that_an_endpoint_is_away(driver: LedgerDriver) -> None:
    limits = AccountLimits(Ledger(driver.redis, grace=GRACE, clock=driver.clock))
    here, there = HookConcurrency(driver.limits), HookConcurrency(limits)
    for _ in range(FAILURES - 1):
        here.note_answer("gone", answered=False)
    assert here.acquire("gone", probe=False, large=False) == "acquired"
    there.note_answer("gone", answered=False)
    assert there.acquire("gone", probe=False, large=False) == "blocked"
    assert there.acquire("gone", probe=True, large=False) == "acquired"


def test_no_more_hooks_run_than_their_share_of_the_threads(driver: LedgerDriver) -> None:
    places = HookConcurrency(driver.limits, share=8)
    outcomes = [places.acquire(f"h{host}", probe=False, large=False) for host in range(10)]
    assert outcomes == ["acquired"] * 8 + ["full"] * 2
    places.release("h0", probe=False, large=False)
    assert places.acquire("h9", probe=False, large=False) == "acquired"
