"""100,000 renders in flight: their memory, how evenly two workers share them, and the cost of a render."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

from celery import Celery
from redis import Redis

from benchmarks.cases.render_cost import burst
from benchmarks.machine import resident_bytes
from benchmarks.preload import make_due, put_in_flight
from benchmarks.result import BenchmarkResult, Row, Say
from benchmarks.system import Meter, System
from harness import Process, until

TITLE = "100,000 renders in flight"
MANY, FEW = 100_000, 100
_BURST = 200
_LATER = 86_400.0
_SHARE_SECONDS = 5.0
_POLL_SECONDS = 5.0
POLLS_PER_RENDER = 15
"""Polls of a render that takes minutes. The cost of a render is that of its other steps and so many polls."""


@dataclass(frozen=True)
class _Price:
    """CPU seconds of worker and Redis, executed Redis commands (in scripts too), and round trips to Redis."""

    worker: float
    redis: float
    commands: float
    trips: float

    def __add__(self, other: _Price) -> _Price:
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Price(*(mine + theirs for mine, theirs in pairs))

    def __sub__(self, other: _Price) -> _Price:
        return self + other.times(-1)

    def times(self, factor: float) -> _Price:
        return _Price(*(value * factor for value in vars(self).values()))

    def figures(self) -> dict[str, float]:
        return {
            "worker_cpu_ms": round(self.worker * 1e3, 3),
            "redis_cpu_ms": round(self.redis * 1e3, 3),
            "redis_commands": round(self.commands, 1),
            "redis_round_trips": round(self.trips, 2),
        }


@dataclass(frozen=True)
class _Cost:
    """The cost of a render without its polls, and the cost of a poll."""

    steps: _Price
    poll: _Price

    @property
    def render(self) -> float:
        """CPU seconds."""
        return self.steps.worker + self.steps.redis + POLLS_PER_RENDER * (self.poll.worker + self.poll.redis)

    def __str__(self) -> str:
        return f"{self.render * 1e3:.1f} ms a render, {self.poll.worker * 1e3:.2f} ms of them in a worker for each poll"


def run(say: Say) -> BenchmarkResult:
    """Measure a render's cost with few others in flight, then with many; then have two workers share the polls."""
    before = _cost_of_few(say)
    with System.open() as system:
        empty = _used(system)
        begin = time.monotonic()
        payload = put_in_flight(system.valkey.url, MANY, poll_in=_LATER)
        beside = (_used(system) - empty - payload) / MANY
        say(f"{MANY} recorded in {time.monotonic() - begin:.0f} s: {beside:.0f} bytes each beside the payload")
        many = _cost(system)
        say(f"{MANY} in flight: {many}")
        shares, idle, growth, rate = _shared(system)
        say(f"two workers: {rate:.0f} polls/s, shares {shares[0]:.0%} and {shares[1]:.0%}, grown {growth:.1f} MB")
    # Before and after, since the machine's speed may have changed meanwhile.
    after = _cost_of_few(say)
    few = _Cost((before.steps + after.steps).times(0.5), (before.poll + after.poll).times(0.5))
    ratio = many.render / few.render
    return BenchmarkResult(
        "in_flight",
        TITLE,
        [
            Row("worker memory growth with 100,000 in flight", growth, 50, "MB", note=f"{idle:.0f} MB idle"),
            Row(
                "Redis per render beside its payload",
                beside / 1000,
                3,
                "KB",
                note=f"payload {payload / MANY:.0f} bytes",
            ),
            Row(
                "smaller share of the polls that one of two workers has",
                min(shares) * 100,
                35,
                "%",
                least=True,
                note=f"{rate:.0f} polls/s together",
            ),
            Row(
                "cost per render at 100,000 in flight over that at 100",
                ratio,
                1.2,
                "x",
                note=f"{many.render * 1e3:.1f} ms over {few.render * 1e3:.1f} ms, Redis included",
            ),
        ],
        {
            "redis_bytes_per_render_beside_payload": round(beside),
            "payload_bytes": round(payload / MANY),
            "worker_idle_mb": round(idle, 2),
            "worker_growth_mb": round(growth, 2),
            "shares_of_the_polls": [round(share, 3) for share in shares],
            "polls_per_second_of_two_workers": round(rate),
            "render_without_polls": {"100": few.steps.figures(), "100000": many.steps.figures()},
            "poll": {"100": few.poll.figures(), "100000": many.poll.figures()},
        },
    )


def _cost_of_few(say: Say) -> _Cost:
    with System.open() as system:
        put_in_flight(system.valkey.url, FEW, poll_in=_LATER)
        cost = _cost(system)
    say(f"{FEW} in flight: {cost}")
    return cost


class _Gauge:
    """The CPU time and commands of a worker and Redis since this was made."""

    def __init__(self, system: System, worker: Process) -> None:
        self._system, self._meter = system, Meter(worker=worker, redis=system.valkey.process)
        self._before = self._counted()

    def read(self) -> _Price:
        """Return the cost of each of so many things done."""
        cpu = self._meter.read()[1]
        commands, trips = (after - before for after, before in zip(self._counted(), self._before, strict=True))
        return _Price(cpu["worker"], cpu["redis"], commands, trips)

    def _counted(self) -> tuple[float, float]:
        with Redis.from_url(self._system.valkey.url) as redis:
            stats: Any = redis.info("commandstats")
            read: Any = redis.info("stats")
        return sum(one["calls"] for one in stats.values()), read["total_reads_processed"]


def _cost(system: System) -> _Cost:
    """Measure the steps of renders while the others wait, then polls while all renders are always due."""
    stub = system.stub("--seconds", "0.5")
    worker = system.workers(1, stub.url, RENDERLINE_POLL_MIN="1", RENDERLINE_SWEEP_EVERY="1")[0]
    app = Celery("producer", broker=system.valkey.url)
    burst(app, stub, 20)
    gauge = _Gauge(system, worker)
    burst(app, stub, _BURST)
    spent, polls = gauge.read(), stub.count("progress")
    app.close()
    system.end(worker, stub)
    poll = _poll_price(system)
    return _Cost(steps=(spent - poll.times(polls)).times(1 / _BURST), poll=poll)


def _poll_price(system: System) -> _Price:
    """Return the cost of a poll; afterwards no render is due."""
    stub = system.stub()
    # So short that even a few renders are always due.
    worker = system.workers(1, stub.url, RENDERLINE_POLL_MIN="0.02", RENDERLINE_POLL_MAX="0.02")[0]
    make_due(system.valkey.url, at=time.time())
    until(lambda: stub.count("progress") > 500, seconds=30, what="polls under way")
    gauge, begin = _Gauge(system, worker), stub.count("progress")
    time.sleep(_POLL_SECONDS)
    price = gauge.read().times(1 / (stub.count("progress") - begin))
    system.end(worker, stub)
    make_due(system.valkey.url, at=time.time() + _LATER)
    return price


class _Together(NamedTuple):
    """Two workers poll everything: each one's share of the polls, idle size and greater growth (MB), polls a second."""

    shares: tuple[float, float]
    idle: float
    grown: float
    rate: float


def _shared(system: System) -> _Together:
    """Have two workers poll everything. Each has a vendor of its own, which counts that worker's polls."""
    stubs = [system.stub(), system.stub()]
    workers = [system.workers(1, stub.url, RENDERLINE_SWEEP_EVERY="1")[0] for stub in stubs]
    time.sleep(2.0)
    idle = [resident_bytes(worker.popen.pid) for worker in workers]
    make_due(system.valkey.url, at=time.time())
    until(lambda: all(stub.count("progress") > 200 for stub in stubs), seconds=30, what="both poll")
    before, begin = [stub.count("progress") for stub in stubs], time.monotonic()
    time.sleep(_SHARE_SECONDS)
    polls = [stub.count("progress") - start for stub, start in zip(stubs, before, strict=True)]
    passed = time.monotonic() - begin
    grown = [resident_bytes(worker.popen.pid) - start for worker, start in zip(workers, idle, strict=True)]
    total = sum(polls)
    return _Together((polls[0] / total, polls[1] / total), max(idle) / 1e6, max(grown) / 1e6, total / passed)


def _used(system: System) -> int:
    with Redis.from_url(system.valkey.url) as redis:
        memory: Any = redis.info("memory")
        return int(memory["used_memory"])
