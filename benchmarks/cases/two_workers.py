"""What a second worker process adds, with a vendor that takes 200 ms for every answer."""

from __future__ import annotations

import time

from celery import Celery

from benchmarks.cases.render_cost import burst
from benchmarks.outcome import Outcome, Row, Say, median, rounded
from benchmarks.site import Site

TITLE = "Throughput of one and of two worker processes, the vendor answering in 200 ms"
RENDERS = {1: 120, 2: 240}
RUNS = 3


def run(say: Say) -> Outcome:
    """Feed both with as many renders for each process, several times in turn."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for attempt in range(RUNS):
        for count in (1, 2):
            rates[count].append(_rate(count))
        say(f"run {attempt + 1}: {rates[1][-1]:.1f} and {rates[2][-1]:.1f} renders/s")
    gain = median(two / one for one, two in zip(rates[1], rates[2], strict=True))
    note = f"{median(rates[2]):.1f}/s over {median(rates[1]):.1f}/s"
    return Outcome(
        "two_workers",
        TITLE,
        [Row("throughput of 2 worker processes over 1, vendor answering in 200 ms", gain, 1.9, "x", True, note)],
        {f"renders_per_second_{count}": rounded(found, 1) for count, found in rates.items()},
    )


def _rate(workers: int) -> float:
    """Return renders per second, from the first message to the last hook."""
    with Site.open() as site:
        stub = site.stub("--seconds", "1", "--latency", "0.2")
        site.workers(workers, stub.url, RENDERLINE_POLL_MIN="0.5")
        app = Celery("producer", broker=site.valkey.url)
        burst(app, stub, 4 * workers)
        begin = time.monotonic()
        burst(app, stub, RENDERS[workers])
        passed = time.monotonic() - begin
        app.close()
        return RENDERS[workers] / passed
