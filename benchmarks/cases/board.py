"""An open board while 50 renders a second come in: is it smooth, and what does each open one cost the gateway?"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from playwright.sync_api import Browser, Page
from redis import Redis

from benchmarks.result import BenchmarkResult, Row, Say, quantile
from benchmarks.system import Meter, System
from harness.browser import open_browser
from harness.gateway import GatewayProcess
from harness.ledger import LedgerDriver

TITLE = "An open board with 5,000 renders, 50 more a second"
RENDERS: Final = 5000
RATE: Final = 50
PROGRESS: Final = 4
"""Events of progress for each render."""
SECONDS: Final = 20.0
SIZES: Final = (50, 500)
BOARDS: Final = (1, 10)

# Frames, tasks of more than 50 ms, and how late a change of progress is seen; from the first call of `begin` on.
_WATCH: Final = """
window.watched = {frames: [], tasks: []};
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.watched.tasks.push(one.duration);
}).observe({type: "longtask"});
let last = performance.now();
(function frame(now) { window.watched.frames.push(now - last); last = now; requestAnimationFrame(frame); })(last);
"""


def run(say: Say) -> BenchmarkResult:
    """Measure one board of each size, then the gateway with none, one and ten boards."""
    figures: dict[str, Any] = {}
    with System.open() as system, open_browser() as browser:
        gateway = system.gateway(RENDERLINE_LABELS="customer")
        with Redis.from_url(system.valkey.url, decode_responses=True) as redis:
            driver = LedgerDriver(redis)
            for _ in range(RENDERS):
                _accept(driver)
            say(f"{RENDERS} renders are in the ledger")
            with _load(driver, redis):
                figures["cpu_without"] = _cpu_of(gateway)
                for size in SIZES:
                    figures[f"rows_{size}"] = page = _smoothness(browser, gateway, size)
                    say(f"{size} rows: {page}")
                for count in BOARDS:
                    cpu = _cpu_of(gateway, browser, count) - figures["cpu_without"]
                    figures[f"cpu_{count}"] = round(cpu, 4)
                    say(f"{count} boards: {100 * cpu:.1f} % of a core")
    rows = []
    for size in SIZES:
        page = figures[f"rows_{size}"]
        rows += [
            Row(f"time between frames, {size} rows, p95", page["frame_p95_ms"], 34, "ms"),
            Row(f"longest task of the page, {size} rows", page["longest_task_ms"], 200, "ms"),
            Row(f"memory of the page, {size} rows, growth", page["heap_growth_mb"], 10, "MB"),
        ]
    rows += [
        Row(f"CPU of the gateway for {count} open boards", 100 * figures[f"cpu_{count}"], target, "% of a core")
        for count, target in zip(BOARDS, (15, 30), strict=True)
    ]
    return BenchmarkResult("board", TITLE, rows, figures)


def _accept(driver: LedgerDriver) -> str:
    one = uuid.uuid4().hex
    driver.accept(one, account="default")
    return one


@contextmanager
def _load(driver: LedgerDriver, redis: Redis) -> Iterator[None]:
    """Accept renders, and add the events of their progress, at the same rate all the time."""
    stop = threading.Event()

    def go() -> None:
        due, under_way = time.monotonic(), list[tuple[str, int]]()
        while not stop.is_set():
            under_way.append((_accept(driver), 0))
            if len(under_way) > RATE * 2:
                del under_way[0]
            with redis.pipeline(transaction=False) as pipe:
                for index in range(-min(PROGRESS, len(under_way)), 0):
                    one, progress = under_way[index * RATE // 4 % len(under_way)]
                    under_way[index * RATE // 4 % len(under_way)] = (one, min(99, progress + 7))
                    fields = {"id": one, "state": "rendering", "progress": progress, "at": f"{time.time():.3f}"}
                    pipe.xadd("renderline:events", fields, maxlen=10_000, approximate=True)
                pipe.execute()
            due += 1 / RATE
            stop.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _smoothness(browser: Browser, gateway: GatewayProcess, size: int) -> dict[str, float]:
    with browser.new_context(base_url=gateway.url, viewport={"width": 1400, "height": 900}) as context:
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(f"/?size={size}")
        page.wait_for_selector(".state-rendering")
        before = _heap(page)
        page.evaluate("window.watched.frames.length = 0; window.watched.tasks.length = 0")
        page.wait_for_timeout(1000 * SECONDS)
        seen = page.evaluate("window.watched")
        return {
            "frame_p95_ms": round(quantile(seen["frames"], 0.95), 1),
            "longest_frame_ms": round(max(seen["frames"]), 1),
            "frames_a_second": round(len(seen["frames"]) / SECONDS, 1),
            "long_tasks": len(seen["tasks"]),
            "longest_task_ms": round(max(seen["tasks"], default=0.0), 1),
            "heap_growth_mb": round(_heap(page) - before, 2),
            "rows": page.locator("table.renders tbody tr").count(),
        }


def _heap(page: Page) -> float:
    """Return the megabytes that the page's scripts and elements hold, after what nobody holds is collected."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    session.detach()
    return float(metrics["JSHeapUsedSize"]) / 1e6


def _cpu_of(gateway: GatewayProcess, browser: Browser | None = None, boards: int = 0) -> float:
    """Return the share of a core that the gateway takes with so many open boards."""
    contexts = [browser.new_context(base_url=gateway.url) for _ in range(boards)] if browser else []
    pages = [context.new_page() for context in contexts]
    for page in pages:
        page.goto("/")
    meter = Meter(gateway=gateway)
    if pages:
        pages[0].wait_for_timeout(1000 * SECONDS)
    else:
        time.sleep(SECONDS / 4)
    passed, cpu = meter.read()
    for context in contexts:
        context.close()
    return cpu["gateway"] / passed
