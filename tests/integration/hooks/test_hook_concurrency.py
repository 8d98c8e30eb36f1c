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
from renderline.ledger import AccountLimits, Ledger
from renderline.retry import HookRetryPolicy, RetryIn
from renderline.tenants import DEFAULT


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

    def completed(self, *names: str, account: str, tenant: str = DEFAULT) -> None:
        """Have renders of an account complete, each with one hook."""
        for one in names:
            self.driver.accept(one, hooks=1, account=account, tenant=tenant)
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


def test_hanging_endpoints_of_one_tenant_leave_places_to_the_others(worker: Worker) -> None:
    for host in range(12):
        worker.endpoints.hanging.add(f"h{host}")
    worker.places.divide()
    worker.completed(*(f"h{host}.{index}" for host in range(12) for index in range(3)), account="a", tenant="mallory")
    until(lambda: worker.endpoints.running.total() == 4, what="as many places as it leaves free")
    well = names("well", 30)
    worker.completed(*well, account="a", tenant="alice")
    worker.completed("well.default", account="a")
    until(lambda: worker.delivered(*well, "well.default"), what="the hooks of other tenants")
    assert worker.endpoints.running.total() == 4
    # Nothing went round and round: each of its hooks was claimed a few times at most.
    fences = [int(worker.driver.redis.hget(f"renderline:render:h{host}.0", "h0:fence") or 0) for host in range(12)]
    assert max(fences) <= 6, fences


def test_what_a_tenant_may_not_have_now_is_delivered_later(worker: Worker) -> None:
    worker.endpoints.hanging.update({f"h{host}" for host in range(12)})
    worker.places.divide()
    waiting = [f"h{host}.{index}" for host in range(12) for index in range(3)]
    worker.completed(*waiting, account="a", tenant="mallory")
    until(lambda: worker.endpoints.running.total() == 4)
    worker.endpoints.hanging.clear()
    worker.endpoints.over.set()

    def delivered() -> bool:
        worker.deliverer.send_waiting()
        return worker.delivered(*waiting)

    until(delivered, what="all that waited")
    assert all(worker.driver.record(one)["hooks"][0]["attempts"] == 1 for one in waiting)


def test_one_tenant_does_not_close_a_host_for_another(worker: Worker) -> None:
    worker.endpoints.away.add("shared")
    worker.completed(*names("shared", FAILURES), account="a", tenant="mallory")
    until(lambda: worker.endpoints.calls["shared"] == FAILURES and worker.idle == 16, what="its circuit opened")
    worker.endpoints.away.clear()
    worker.completed("shared.alice", account="a", tenant="alice")
    worker.completed("shared.default", account="a")
    until(lambda: worker.delivered("shared.alice", "shared.default"), what="the hooks of others at that host")


def test_a_process_learns_that_there_are_other_tenants(worker: Worker) -> None:
    worker.endpoints.hanging.update({f"h{host}" for host in range(12)})
    worker.deliverer.send_waiting()
    assert worker.places.acquire("", probe=False, large=False) == "acquired"
    worker.places.release("", probe=False, large=False)
    worker.driver.accept("seen", tenant="acme")
    worker.deliverer.send_waiting()
    worker.completed(*(f"h{host}.1" for host in range(12)), account="a")
    until(lambda: worker.endpoints.running.total() == 4 and not worker.queue, what="half of the places")
    assert worker.places.busy == ["default"]


def test_the_time_of_a_call_falls_with_the_failures_of_its_host(driver: LedgerDriver) -> None:
    limits = AccountLimits(Ledger(driver.redis, grace=GRACE, clock=driver.clock))
    here, there = HookConcurrency(driver.limits, call_time=16.0), HookConcurrency(limits, call_time=16.0)
    times = []
    for _ in range(9):
        times.append(here.call_time("hangs"))
        here.note_answer("hangs", answered=False)
    assert times == [16.0, 8.0, 4.0, 2.0, 2.0, 2.0, 2.0, 16.0, 2.0]
    there.note_answer("hangs", answered=False)
    assert there.call_time("hangs") == 2.0, "the failures of all workers count"
    driver.clock.forward(60.0)
    here.note_answer("hangs", answered=True, seconds=0.1)
    assert here.call_time("hangs") == 16.0
    assert here.call_time("another") == 16.0


def test_a_slow_endpoint_that_fails_once_keeps_its_time(driver: LedgerDriver) -> None:
    places = HookConcurrency(driver.limits, call_time=15.0)
    places.note_answer("slow", answered=True, seconds=10.0)
    for _ in range(4):
        places.note_answer("slow", answered=False)
        assert places.call_time("slow") == 15.0
    for _ in range(20):
        places.note_answer("slow", answered=True, seconds=0.1)
    places.note_answer("slow", answered=False)
    assert places.call_time("slow") == 7.5, "it is quick now"
