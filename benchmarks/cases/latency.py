"""The latency of an idle system: from enqueueing to the vendor's create call, and from the webhook to our hook."""

from __future__ import annotations

import time

from celery import Celery

from benchmarks.result import BenchmarkResult, Row, Say, median, quantile
from benchmarks.system import SECRET_KEY, Stub, System, order
from harness import until
from renderline.producer import enqueue_render, enqueue_renders

TITLE = "Latency of an idle system, to the vendor's call and to the hook"
SAMPLES = 60
_PAUSE = 0.1


def run(say: Say) -> BenchmarkResult:
    """Send renders one by one, each after the last one has ended and the system is idle again."""
    to_vendor = _to_the_vendor()
    say(f"enqueue to create: {median(to_vendor) * 1e3:.1f} ms, 90 % within {quantile(to_vendor, 0.9) * 1e3:.1f} ms")
    to_hook = _to_the_hook()
    say(f"webhook to hook: {median(to_hook) * 1e3:.1f} ms, 90 % within {quantile(to_hook, 0.9) * 1e3:.1f} ms")
    return BenchmarkResult(
        "latency",
        TITLE,
        [
            _row("from enqueue to the vendor receiving the create, idle, p50", to_vendor, 25),
            _row("from completion at the vendor (webhook) to the HTTP hook received, idle, p50", to_hook, 50),
        ],
        {
            "enqueue_to_create_ms": {"p50": round(median(to_vendor) * 1e3, 2), "p90": _p90(to_vendor)},
            "webhook_to_hook_ms": {"p50": round(median(to_hook) * 1e3, 2), "p90": _p90(to_hook)},
            "samples": SAMPLES,
        },
    )


def _p90(seconds: list[float]) -> float:
    return round(quantile(seconds, 0.9) * 1e3, 2)


def _row(what: str, seconds: list[float], target: float) -> Row:
    return Row(what, median(seconds) * 1e3, target, "ms", note=f"{len(seconds)} samples, p90 {_p90(seconds):.0f} ms")


def _wait_for(stub: Stub, call: str, count: int) -> None:
    until(lambda: stub.count(call) >= count, what=f"{count} times {call}")


def _to_the_vendor() -> list[float]:
    """Return the seconds from just before the producer's call to the arrival of the create call."""
    with System.open() as system:
        stub = system.stub("--seconds", "600")
        system.workers(1, stub.url)
        app = Celery("producer", broker=system.valkey.url)
        found = []
        for number in range(SAMPLES + 5):
            begin = time.time()
            enqueue_render(app, order(number, f"{stub.url}/hook"))
            _wait_for(stub, "export", number + 1)
            found.append(stub.ask("creates")[number][0] - begin)
            time.sleep(_PAUSE)
        app.close()
    return found[5:]


def _to_the_hook() -> list[float]:
    """Return the seconds from a render's completion at the vendor to the arrival of its hook."""
    with System.open() as system:
        sandbox = system.sandbox("--render-seconds", "600")
        endpoint = system.stub()
        system.environ = {"RENDERLINE_SECRET_KEY": SECRET_KEY}
        gateway = system.gateway(RENDERLINE_PUBLIC_URL="http://127.0.0.1", **system.environ)
        system.workers(1, sandbox.url, RENDERLINE_PUBLIC_URL=gateway.url)
        app = Celery("producer", broker=system.valkey.url)
        count = SAMPLES + 5
        enqueue_renders(app, (order(number, f"{endpoint.url}/hook") for number in range(count)))
        until(lambda: len(sandbox.projects()) == count and all(one["exports"] for one in sandbox.projects()))
        time.sleep(5.0)  # until the first polls are over: the system is to be idle
        ends = {}
        for project in sandbox.projects():
            taken = endpoint.count("hook")
            sandbox.control("POST", "complete", id=project["id"])
            _wait_for(endpoint, "hook", taken + 1)
            ends[project["name"].split()[1]] = project["id"]
            time.sleep(_PAUSE)
        completed = {project["id"]: project["completed_at"] for project in sandbox.projects()}
        app.close()
        return [at - completed[ends[number]] for at, number in endpoint.ask("hooks")][5:]
