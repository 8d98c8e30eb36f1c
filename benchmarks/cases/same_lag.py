"""Throughput under load of Renderline, the plain Celery chain, arq and the vendor's sample, at the same mean lag."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.contenders import PEERS_PYTHON, ArqLoop, Contender, PlainChain, Renderline, SampleLoop, Setup
from benchmarks.floor import vendor_body
from benchmarks.load import Loop, Measured, Plan
from benchmarks.result import BenchmarkResult, Row, Say
from benchmarks.system import System
from config.settings import VARIABLES

TITLE = "Renders of 1-10 minutes scaled down 30 times, mixed curves, one worker process, the same mean lag"
SCALE = 30.0
VENDOR = ("--render-seconds", f"{330 / SCALE:g}", "--spread", f"{270 / 330:.4f}", "--curve", "mixed", "--seed", "7")
# The defaults of a deployment, scaled down as the renders are.
POLICY = {
    name: f"{VARIABLES[name].default / SCALE:.4f}"
    for name in ("RENDERLINE_POLL_MIN", "RENDERLINE_POLL_MAX", "RENDERLINE_WEBHOOK_POLL")
}
_SAMPLE_EVERY = 3 / SCALE
PLAN = Plan()
# The sample has no target: one run is enough.
BRIEFLY = Plan(ramp=10.0, settle=3.0, windows=1)


def run(say: Say) -> BenchmarkResult:
    """Measure Renderline first; its mean lag sets the poll interval of the peers."""
    ours = measure(lambda setup: Renderline(setup, **POLICY), say)
    # A fixed interval has a mean lag of half of it. A peer's own work adds to that.
    interval = 2 * ours.lag
    found = {
        "renderline": ours,
        "chain": measure(lambda setup: PlainChain(setup, poll_every=interval), say),
        "sample": measure(lambda setup: SampleLoop(setup, poll_every=_SAMPLE_EVERY), say, plan=BRIEFLY),
    }
    result = BenchmarkResult("same_lag", TITLE)
    if PEERS_PYTHON.exists():
        found["arq"] = measure(lambda setup: ArqLoop(setup, poll_every=interval), say)
    else:
        result.why = f"{PEERS_PYTHON.parent.parent.name} is missing, so arq was not measured; `make bench` makes it"
    result.rows = _rows(found)
    result.figures = {
        "interval_of_peers_s": round(interval, 3),
        **{name: one.figures() for name, one in found.items()},
    }
    return result


def measure(make: Callable[[Setup], Contender], say: Say, *, plan: Plan = PLAN) -> Measured:
    """Load one contender on a system of its own."""
    with System.open() as system:
        sandbox = system.sandbox(*VENDOR)
        endpoint = system.stub()
        body = system.directory / "body.json"
        body.write_text(json.dumps(vendor_body()))
        contender = make(Setup(system, sandbox.url, f"{endpoint.url}/hook", body))
        found = Loop(contender, endpoint, plan).run(sandbox)
    figures = found.figures()
    say(
        f"{contender.name}: {found.rate:.1f} renders/s with {found.in_flight} in flight, "
        f"{figures['worker_cpu_ms_per_render']} ms and {figures['polls_per_render']} polls a render, "
        f"lag {found.lag:.2f} s, worker {figures['worker_share_of_a_core']:.0%}, vendor "
        f"{figures['vendor_share_of_a_core']:.0%} of a core"
    )
    return found


def _rows(found: dict[str, Measured]) -> list[Row]:
    ours, theirs = found["renderline"], found["chain"]
    lags = f"lag {ours.lag:.2f} s and {theirs.lag:.2f} s"
    rows = [
        Row(
            "throughput over the plain Celery chain's",
            ours.rate / theirs.rate,
            3,
            "x",
            least=True,
            note=f"{ours.rate:.1f}/s over {theirs.rate:.1f}/s; {lags}",
        ),
        Row(
            "the plain Celery chain's worker CPU per render over ours",
            theirs.cpu_per_render / ours.cpu_per_render,
            3,
            "x",
            least=True,
            note=f"{theirs.cpu_per_render * 1e3:.0f} ms over {ours.cpu_per_render * 1e3:.0f} ms; {lags}",
        ),
    ]
    if "arq" in found:
        arq = found["arq"]
        rows.append(
            Row(
                "worker CPU per render over arq + aiohttp's",
                ours.cpu_per_render / arq.cpu_per_render,
                1,
                "x",
                note=f"{ours.cpu_per_render * 1e3:.0f} ms over {arq.cpu_per_render * 1e3:.0f} ms; "
                f"lag {ours.lag:.2f} s and {arq.lag:.2f} s",
            )
        )
    return rows
