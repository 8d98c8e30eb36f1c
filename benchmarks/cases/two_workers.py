"""The gain of a second worker process, with a vendor that takes 200 ms for every answer."""

from __future__ import annotations

import time

from celery import Celery

from benchmarks.cases.render_cost import burst
from benchmarks.result import BenchmarkResult, Row, Say, median, rounded
from benchmarks.system import Stub, System

TITLE = "Throughput of one and of two worker processes, the vendor answering in 200 ms"
RENDERS = 200
"""For each process: enough that the idle threads at beginning and end weigh little."""
RUNS = 3
_WARM = 32


def run(say: Say) -> BenchmarkResult:
    """Feed one worker with many renders, then two with twice as many; several times in turn."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    with System.open() as system:
        stub = system.stub("--seconds", "1", "--latency", "0.2")
        settings = {"RENDERLINE_POLL_MIN": "0.5"}
        system.workers(1, stub.url, **settings)
        app = Celery("producer", broker=system.valkey.url)
        burst(app, stub, _WARM)
        for attempt in range(RUNS):
            rates[1].append(_rate(app, stub, 1))
            (other,) = system.workers(1, stub.url, **settings)
            burst(app, stub, _WARM)
            rates[2].append(_rate(app, stub, 2))
            other.stop()
            system.end(other)
            say(f"run {attempt + 1}: {rates[1][-1]:.1f} and {rates[2][-1]:.1f} renders/s")
        app.close()
    gain = median(two / one for one, two in zip(rates[1], rates[2], strict=True))
    note = f"{median(rates[2]):.1f}/s over {median(rates[1]):.1f}/s"
    return BenchmarkResult(
        "two_workers",
        TITLE,
        [Row("throughput of 2 worker processes over 1, vendor answering in 200 ms", gain, 1.9, "x", True, note)],
        {f"renders_per_second_{count}": rounded(found, 1) for count, found in rates.items()},
    )


def _rate(app: Celery, stub: Stub, workers: int) -> float:
    """Return renders per second, from the first message to the last hook."""
    begin = time.monotonic()
    burst(app, stub, RENDERS * workers)
    return RENDERS * workers / (time.monotonic() - begin)
