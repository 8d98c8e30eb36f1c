"""The cost of a poll, and the polls per second of one worker: against a bare GET, and against retrying Celery tasks."""

from __future__ import annotations

import sys
import time

from celery import Celery

from benchmarks.floor import floor_seconds
from benchmarks.preload import make_due, put_in_flight
from benchmarks.result import BenchmarkResult, Row, Say, median, rounded
from benchmarks.system import Meter, Stub, System
from harness import Process, until

TITLE = "Polls of 5,000 renders in flight by one worker"
RENDERS = 5000
RUNS = 3
SECONDS = 3.0
_FLOOR_CALLS = 3000
_INTERVAL = 5


def run(say: Say) -> BenchmarkResult:
    """Measure both under overload, in turn, several times."""
    rates, costs, floors, theirs, their_costs, shares = [], [], [], [], [], []
    with System.open() as system:
        stub = system.stub()
        put_in_flight(system.valkey.url, RENDERS, poll_in=0.0)
        for attempt in range(RUNS):
            settings = {"RENDERLINE_POLL_MIN": "1", "RENDERLINE_POLL_MAX": "1", "RENDERLINE_SWEEP_EVERY": "1"}
            worker = system.workers(1, stub.url, **settings)[0]
            make_due(system.valkey.url, at=time.time())
            rate, cost, share = polls_of(worker, stub)
            system.end(worker)
            rates.append(rate)
            costs.append(cost)
            shares.append(share)
            floors.append(floor_seconds(stub.url, polls=_FLOOR_CALLS, directory=system.directory) / _FLOOR_CALLS)
            rate, cost = _retrying(system, stub)
            theirs.append(rate)
            their_costs.append(cost)
            say(f"run {attempt + 1}: {rates[-1]:.0f} polls/s, {costs[-1] * 1e3:.2f} ms each; Celery {rate:.0f}/s")
    cost = median(mine / floor for mine, floor in zip(costs, floors, strict=True))
    speed = median(mine / other for mine, other in zip(rates, theirs, strict=True))
    return BenchmarkResult(
        "poll_cost",
        TITLE,
        [
            Row(
                "worker CPU per poll over a bare requests GET, 64 or more due at once",
                cost,
                1.3,
                "x",
                note=f"{median(costs) * 1e3:.2f} ms over {median(floors) * 1e3:.2f} ms",
            ),
            Row(
                "polls/s of one worker over a retry-per-render Celery poll, 5,000 in flight",
                speed,
                4,
                "x",
                least=True,
                note=f"{median(rates):.0f}/s over {median(theirs):.0f}/s",
            ),
        ],
        {
            "polls_per_second": rounded(rates, 1),
            "worker_cpu_ms_per_poll": rounded(value * 1e3 for value in costs),
            "bare_get_cpu_ms": rounded(value * 1e3 for value in floors),
            "celery_polls_per_second": rounded(theirs, 1),
            "celery_cpu_ms_per_poll": rounded(value * 1e3 for value in their_costs),
            "stub_share_of_a_core": rounded(shares),
        },
    )


def polls_of(worker: Process, stub: Stub, *, seconds: float = SECONDS) -> tuple[float, float, float]:
    """Return polls per second, the worker's CPU seconds for one, and the stub's share of a core, after a warm-up."""
    before = stub.count("progress")
    until(lambda: stub.count("progress") > before + 500, seconds=30, what="polls under way")
    meter, begin = Meter(worker=worker, stub=stub), stub.count("progress")
    time.sleep(seconds)
    passed, cpu = meter.read()
    polls = stub.count("progress") - begin
    return polls / passed, cpu["worker"] / polls, cpu["stub"] / passed


def _retrying(system: System, stub: Stub) -> tuple[float, float]:
    """Return polls per second, and CPU seconds for one, of a Celery worker that retries one task per render."""
    environ = {
        "REDIS_URL": system.valkey.url.removesuffix("/0") + "/1",
        "VENDOR_URL": stub.url,
        "POLL_EVERY": str(_INTERVAL),
    }
    app = Celery("producer", broker=environ["REDIS_URL"])
    with app.connection_for_write() as connection:
        connection.default_channel.client.flushdb()
    with app.producer_pool.acquire(block=True) as producer, producer.batch(max_size=500):
        for number in range(RENDERS):
            app.send_task("chain.poll", args=(f"{number:024x}",), queue="poll", producer=producer)
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.plain_chain.app", "worker", "-Q", "poll"]
    before = stub.count("progress")
    worker = system.run("retrying", command, environ)
    until(lambda: stub.count("progress") > before, seconds=60, what="the first of Celery's polls")
    time.sleep(_INTERVAL)
    rate, cost, _ = polls_of(worker, stub)
    system.end(worker)
    app.close()
    return rate, cost
