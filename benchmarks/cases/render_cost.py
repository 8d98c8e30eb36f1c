"""Worker CPU per render, over the floor for the same calls."""

from __future__ import annotations

from dataclasses import dataclass

from celery import Celery

from benchmarks.floor import floor_seconds
from benchmarks.result import BenchmarkResult, Row, Say, median, rounded
from benchmarks.system import Meter, Stub, System, order
from harness import Worker, until
from renderline.producer import enqueue_renders

TITLE = "CPU of a worker per render, against the same HTTP calls by bare requests"
RENDERS = 400
RUNS = 5
_WARM = 20


def run(say: Say) -> BenchmarkResult:
    """Feed one worker with renders of 1 to 3 s, some 3 polls each: few, so that the other steps weigh heavily.

    The floor is measured before and after each run, since a machine's speed changes.
    """
    ours, polls, shares, floors = [], [], [], []
    with System.open() as system:
        stub = system.stub("--seconds", "1-3")
        worker = system.workers(1, stub.url, RENDERLINE_POLL_MIN="0.35", RENDERLINE_POLL_MAX="3")[0]
        app = Celery("producer", broker=system.valkey.url)
        burst(app, stub, _WARM)
        before = _floor(stub, system)
        for attempt in range(RUNS):
            cost, seen, share = _once(app, stub, worker)
            after = _floor(stub, system)
            floors.append((before.of(seen) + after.of(seen)) / 2)
            before = after
            ours.append(cost)
            polls.append(seen)
            shares.append(share)
            say(f"run {attempt + 1}: {cost * 1e3:.1f} ms a render, floor {floors[-1] * 1e3:.1f} ms, {seen:.1f} polls")
        careful = _floor(stub, system, plain=True).of(median(polls))
        app.close()
    ratio = median(mine / floor for mine, floor in zip(ours, floors, strict=True))
    return BenchmarkResult(
        "render_cost",
        TITLE,
        [Row("worker CPU per render over the floor for the same calls", ratio, 3, "x", note=_note(ours, floors))],
        {
            "worker_cpu_ms_per_render": rounded(value * 1e3 for value in ours),
            "floor_cpu_ms_per_render": rounded(value * 1e3 for value in floors),
            "floor_without_trust_env_ms": round(careful * 1e3, 3),
            "polls_per_render": rounded(polls),
            "stub_share_of_a_core": rounded(shares),
        },
    )


@dataclass(frozen=True)
class _Floor:
    """CPU seconds by bare requests: of create, export and hook together, and of a poll."""

    steps: float
    poll: float

    def of(self, polls: float) -> float:
        """Return the floor of a render with so many polls."""
        return self.steps + polls * self.poll


def _floor(stub: Stub, system: System, *, plain: bool = False) -> _Floor:
    steps = floor_seconds(stub.url, renders=RENDERS, directory=system.directory, plain=plain) / RENDERS
    poll = floor_seconds(stub.url, polls=2 * RENDERS, directory=system.directory, plain=plain) / (2 * RENDERS)
    return _Floor(steps, poll)


def _note(ours: list[float], floors: list[float]) -> str:
    return f"{median(ours) * 1e3:.1f} ms over {median(floors) * 1e3:.1f} ms"


def _once(app: Celery, stub: Stub, worker: Worker) -> tuple[float, float, float]:
    """Return the worker's CPU seconds per render, the polls per render, and the stub's share of a core."""
    meter = Meter(worker=worker, stub=stub)
    burst(app, stub, RENDERS)
    passed, cpu = meter.read()
    return cpu["worker"] / RENDERS, stub.count("progress") / RENDERS, cpu["stub"] / passed


def burst(app: Celery, stub: Stub, count: int, *, seconds: float = 120.0) -> None:
    """Enqueue `count` renders at once and wait until the stub has received all their hooks."""
    stub.ask("reset")
    enqueue_renders(app, (order(number, f"{stub.url}/hook") for number in range(count)))
    until(lambda: stub.count("hook") >= count, seconds=seconds, what=f"{count} hooks")
