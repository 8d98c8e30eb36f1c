"""How long a producer takes to enqueue 10,000 renders: one by one, and with `enqueue_renders`."""

from __future__ import annotations

import time
from collections.abc import Callable

from celery import Celery

from benchmarks.result import BenchmarkResult, Row, Say, median, rounded
from benchmarks.system import System, order
from renderline.producer import enqueue_render, enqueue_renders

TITLE = "Enqueueing 10,000 renders"
RENDERS = 10_000
RUNS = 3


def run(say: Say) -> BenchmarkResult:
    """Enqueue them in both ways, in turn; no worker takes the messages."""
    singly, together = [], []
    with System.open() as system:
        app = Celery("producer", broker=system.valkey.url)
        requests = [order(number, "http://127.0.0.1/hook") for number in range(RENDERS)]
        enqueue_render(app, requests[0])

        def one_by_one() -> None:
            for request in requests:
                enqueue_render(app, request)

        for attempt in range(RUNS):
            singly.append(_timed(one_by_one, app))
            together.append(_timed(lambda: enqueue_renders(app, requests), app))
            say(f"run {attempt + 1}: {singly[-1]:.2f} s one by one, {together[-1]:.2f} s together")
        app.close()
    ratio = median(one / other for one, other in zip(singly, together, strict=True))
    note = f"{RENDERS / median(together):,.0f}/s over {RENDERS / median(singly):,.0f}/s"
    return BenchmarkResult(
        "enqueue",
        TITLE,
        [Row("enqueueing 10,000 renders with enqueue_renders over one by one", ratio, 5, "x", least=True, note=note)],
        {"one_by_one_s": rounded(singly), "together_s": rounded(together)},
    )


def _timed(work: Callable[[], object], app: Celery) -> float:
    with app.connection_for_write() as connection:
        connection.default_channel.client.delete("requests")
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
