"""The vendor calls per render and the lag until its end is noticed: with polls alone, and with webhooks."""

from __future__ import annotations

import time

from celery import Celery

from benchmarks import schedule_simulation as simulation
from benchmarks.cases.same_lag import POLICY, VENDOR
from benchmarks.result import BenchmarkResult, Row, Say, quantile
from benchmarks.system import SECRET_KEY, System, order
from harness import until
from renderline.producer import enqueue_renders

TITLE = "Calls to the vendor per render of 1-10 minutes, and the lag"
RENDERS = 300
FEED_SECONDS = 15.0
WARM = 30
"""Renders before the measured ones: more is polled until the first webhook comes and some durations are known."""
_TICK = 0.25


def run(say: Say) -> BenchmarkResult:
    """Simulate the polls; then run renders with webhooks, scaled down 30 times."""
    judgements = simulation.compare(simulation.MIX)
    further = simulation.compare(simulation.FURTHER)
    ours, cold = judgements[simulation.LEARNT]["all"], judgements["renderline"]["all"]
    say(f"polls alone, simulated: {ours.calls:.1f} calls, lag {ours.lag:.2f} s, p95 {ours.lag_p95:.2f} s")
    calls, lags = _with_webhooks(say)
    return BenchmarkResult(
        "calls",
        TITLE,
        [
            _worse("API calls per render, polling only, mixed curves", cold.calls, ours.calls, 20),
            _worse("mean lag, polling only", cold.lag, ours.lag, 2, "s"),
            _worse("p95 lag, polling only", cold.lag_p95, ours.lag_p95, 8, "s"),
            Row("API calls per render with webhooks", calls, 4, note=f"{RENDERS} renders scaled down 30 times"),
            Row("p99 lag with webhooks", quantile(lags, 0.99), 0.5, "s", note="not scaled, to the hook received"),
        ],
        {
            "simulated_mix": {
                name: {curve: judgement.figures() for curve, judgement in found.items()}
                for name, found in judgements.items()
            },
            "simulated_further": {
                name: {curve: judgement.figures() for curve, judgement in found.items()}
                for name, found in further.items()
            },
            "webhooks": {
                "calls": round(calls, 2),
                "lag_mean_s": round(sum(lags) / len(lags), 3),
                "lag_p99_s": round(quantile(lags, 0.99), 3),
            },
        },
    )


def _worse(what: str, cold: float, learnt: float, target: float, unit: str = "") -> Row:
    """Return the row of the worse figure of two accounts: with and without known durations."""
    note = f"simulated; {cold:.3g} before durations are learnt, {learnt:.3g} after"
    return Row(what, max(cold, learnt), target, unit, note=note)


def _with_webhooks(say: Say) -> tuple[float, list[float]]:
    """Return the vendor calls per render, and the seconds from each completion to its hook."""
    with System.open(**POLICY, RENDERLINE_SECRET_KEY=SECRET_KEY) as system:
        sandbox = system.sandbox(*VENDOR)
        endpoint = system.stub()
        gateway = system.gateway(RENDERLINE_PUBLIC_URL="http://127.0.0.1", **system.environ)
        system.workers(1, sandbox.url, RENDERLINE_PUBLIC_URL=gateway.url)
        app = Celery("producer", broker=system.valkey.url)
        enqueue_renders(app, [order(number, f"{endpoint.url}/hook") for number in range(WARM)])
        until(lambda: endpoint.count("hook") >= WARM, seconds=60, what="the first hooks")
        before, first, last = sandbox.counts(), WARM, WARM + RENDERS
        begin, sent = time.monotonic(), first
        while sent < last:
            due = min(last, first + round((time.monotonic() - begin) / FEED_SECONDS * RENDERS))
            enqueue_renders(app, [order(number, f"{endpoint.url}/hook") for number in range(sent, due)])
            sent = due
            time.sleep(_TICK)
        until(lambda: endpoint.count("hook") >= last, seconds=60, what="all hooks")
        counts = {
            name: count - before.get(name, 0) for name, count in sandbox.counts().items() if "/api/odin/v3" in name
        }
        completed = {project["name"].split()[1]: project["completed_at"] for project in sandbox.projects()}
        app.close()
        lags = [at - completed[number] for at, number in endpoint.ask("hooks") if int(number) >= first]
        by_call = {name.rpartition("v3")[2]: round(count / RENDERS, 2) for name, count in counts.items()}
        say(f"with webhooks: {by_call}, lag p50 {quantile(lags, 0.5):.3f} s, p99 {quantile(lags, 0.99):.3f} s")
        return sum(counts.values()) / RENDERS, lags
