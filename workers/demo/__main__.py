"""`make demo` (render, check, stop) and `make up` (the same processes, kept running)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from redis import Redis
from rich.console import Console

from renderline.ledger import Ledger
from workers.demo.performance import DemoFailed, enqueue, follow, open_stage, producer
from workers.demo.processes import ROOT, ProcessEnded, Processes
from workers.demo.receiver import Receiver
from workers.demo.screen import screen_for
from workers.demo.stage import Occupied, Stage, occupied
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
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where everything goes (default: below var/)")
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    console = Console(highlight=False, soft_wrap=True)
    usual = "up" if options.keep else f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    directory = (options.directory or ROOT / "var" / usual).resolve()
    run = keep if options.keep else play
    try:
        with occupied(directory):
            stage = Stage.choose(directory, render_seconds=options.render_seconds)
            return run(console, stage, stage.environ(environ), workers=options.workers)
    except Occupied as problem:
        console.print(str(problem), markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def _leave(number: int, _frame: FrameType | None) -> None:
    # As an exception, so that the processes are stopped on the way out.
    raise SystemExit(128 + number)


def play(console: Console, stage: Stage, environ: Mapping[str, str], *, workers: int) -> int:
    """Play the demo and say what holds; returns 0 if everything does."""
    begin = time.monotonic()
    processes = Processes(environ, logs=stage.logs, concurrency={"worker": workers})
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


def keep(console: Console, stage: Stage, environ: Mapping[str, str], *, workers: int) -> int:
    """Run the processes until Ctrl-C; returns 1 if one of them ends by itself."""
    processes = Processes(environ, logs=stage.logs, concurrency={"worker": workers})
    with processes:
        try:
            open_stage(processes, stage)
            stage.write_shell_file(environ)
            _addresses(console, stage)
            while True:
                processes.raise_if_any_ended()
                time.sleep(0.3)
        except (DemoFailed, ProcessEnded) as failure:
            console.print(f"Stopping: {failure}\n\n{processes.tail()}", markup=False)
            return 1
        except KeyboardInterrupt:
            console.print("\nStopping ...")
            return 0


def _addresses(console: Console, stage: Stage) -> None:
    user, password = stage.flower_login
    rows = {
        "gateway": f"{stage.gateway_url}/docs",
        "Flower": f"{stage.flower_url}  (user {user}, password {password})",
        "sandbox": f"{stage.sandbox_url}/_sandbox/projects",
        "Redis": stage.redis_url,
        "videos": stage.videos.as_uri(),
        "hooks": f"signed with {stage.hook_secret}",
        "logs": os.path.relpath(stage.logs),
        "shell": f". {os.path.relpath(stage.shell_file)}  (the settings, for `renderline` in another terminal)",
    }
    for name, value in rows.items():
        console.print(f"{name:<8} {value}", markup=False)
    console.print("Up. Ctrl-C stops everything.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
