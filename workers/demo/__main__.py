"""`make demo` (render, check, stop) and `make up` (the same processes, kept running)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from types import FrameType

from honcho.printer import Printer
from redis import Redis
from rich.console import Console

from renderline.ledger import Ledger
from workers.demo.performance import DemoFailed, enqueue, follow, open_stage, producer
from workers.demo.processes import ROOT, ProcessEnded, Processes
from workers.demo.receiver import Receiver
from workers.demo.screen import screen_for
from workers.demo.stage import Stage
from workers.demo.story import episodes
from workers.demo.verdict import Outcome, verdicts

_WORKERS = 2
_FOLLOW_SECONDS = 75.0


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the demo or keep its processes; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the processes running instead of playing the demo")
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help="default: %(default)s")
    parser.add_argument("--render-seconds", type=float, default=6.0, metavar="S", help="default: %(default)s")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    console = Console(highlight=False, soft_wrap=True)
    try:
        if options.keep:
            return keep(console, environ, workers=options.workers, render_seconds=options.render_seconds)
        return play(console, environ, workers=options.workers, render_seconds=options.render_seconds)
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def _leave(number: int, _frame: FrameType | None) -> None:
    # As an exception, so that the processes are stopped on the way out.
    raise SystemExit(128 + number)


def play(console: Console, environ: Mapping[str, str], *, workers: int, render_seconds: float) -> int:
    """Play the demo and say what holds; returns 0 if everything does."""
    begin = time.monotonic()
    stage = Stage.choose(ROOT / "var" / time.strftime("demo-%Y%m%d-%H%M%S"), render_seconds=render_seconds)
    processes = Processes(stage.environ(environ), logs=stage.logs, concurrency={"worker": workers})
    unwell = {episode.path for episode in episodes("") if episode.refused_callback}
    console.print(f"Starting {workers} workers, gateway, Flower, an embedded Redis and the sandbox of the vendor ...")
    with Receiver(stage.hook_secret, unwell=unwell) as receiver, processes:
        try:
            open_stage(processes, stage)
            console.print(f"Flower  {stage.flower_url}  (user {' password '.join(stage.flower_login)})\n")
            outcome = _perform(console, stage, processes, receiver, workers)
            held = _report(console, outcome)
        except (DemoFailed, ProcessEnded) as failure:
            console.print(f"\nDemo failed: {failure}\n", markup=False)
            held = False
        if not held:
            console.print(processes.tail(), markup=False)
    seconds = time.monotonic() - begin
    logs = os.path.relpath(stage.logs)
    if held:
        console.print(f"\nThe processes are stopped, their logs are in {logs}; `make up` keeps them running.")
        console.print(f"Demo passed: {len(outcome.records)} videos in {os.path.relpath(stage.videos)}, {seconds:.0f} s")
    else:
        console.print(f"Demo failed after {seconds:.0f} s; the logs are in {logs}")
    return 0 if held else 1


def _perform(console: Console, stage: Stage, processes: Processes, receiver: Receiver, workers: int) -> Outcome:
    asked = episodes(receiver.url)
    app = producer(stage.redis_url)
    with Redis.from_url(stage.redis_url, decode_responses=True) as redis, screen_for(console, asked) as screen:
        ids = enqueue(app, asked, processes)
        records = follow(Ledger(redis), ids, screen, processes, seconds=_FOLLOW_SECONDS)
    return Outcome(stage, asked, records, receiver.callbacks(), app, workers)


def _report(console: Console, outcome: Outcome) -> bool:
    console.print()
    held = True
    for subject, holds, found in verdicts(outcome):
        console.print(f"{'[green]ok' if holds else '[red]NO'}[/]  {subject:<10}", end="")
        console.print(found, markup=False)
        held = held and holds
    return held


def keep(console: Console, environ: Mapping[str, str], *, workers: int, render_seconds: float) -> int:
    """Run the processes until they are interrupted, showing what they log; returns 1 if one ends by itself."""
    stage = Stage.choose(ROOT / "var" / "up", render_seconds=render_seconds)
    printer = Printer(sys.stdout)
    printer.width = len("sandbox.1")
    processes = Processes(stage.environ(environ), logs=stage.logs, concurrency={"worker": workers}, printer=printer)
    with processes:
        try:
            open_stage(processes, stage)
            _addresses(console, stage)
            while True:
                processes.raise_if_any_ended()
                time.sleep(0.3)
        except (DemoFailed, ProcessEnded) as failure:
            console.print(f"\nStopping: {failure}", markup=False)
            return 1


def _addresses(console: Console, stage: Stage) -> None:
    user, password = stage.flower_login
    rows = {
        "gateway": f"{stage.gateway_url}/readyz",
        "Flower": f"{stage.flower_url}  (user {user}, password {password})",
        "sandbox": f"{stage.sandbox_url}/_sandbox/projects",
        "Redis": stage.redis_url,
        "videos": stage.videos.as_uri(),
        "hooks": f"signed with {stage.hook_secret}",
    }
    console.print("\nUp; Ctrl-C stops everything.")
    for name, value in rows.items():
        console.print(f"  {name:<8} {value}", markup=False)
    console.print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
