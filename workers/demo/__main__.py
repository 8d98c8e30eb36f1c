"""`make demo` (render, check, stop) and `make up` (the same processes, kept running)."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from redis import Redis
from rich.console import Console

from renderline.ledger import Ledger
from workers.demo.checks import DemoResult, run_checks
from workers.demo.deployment import Deployment, DirectoryInUse, lock_directory
from workers.demo.hook_endpoint import HookEndpoint
from workers.demo.scenario import renders
from workers.demo.screen import screen_for
from workers.demo.steps import DemoFailed, enqueue, follow, producer, start_processes
from workers.processes.group import ProcessEnded, Processes
from workers.processes.leaving import leave_on_signals
from workers.processes.output import LogFiles
from workers.processes.procfile import ROOT

_WORKERS = 2
_FOLLOW_SECONDS = 75.0


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the demo, or keep its processes running; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers.demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="keep the processes running instead of running the demo")
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help="default: %(default)s")
    parser.add_argument("--render-seconds", type=float, default=6.0, metavar="S", help="default: %(default)s")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="where everything goes (default: below var/)")
    options = parser.parse_args(arguments)
    leave_on_signals()
    console = Console(highlight=False, soft_wrap=True)
    usual = "up" if options.keep else f"demo-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"
    directory = (options.directory or ROOT / "var" / usual).resolve()
    run = keep_running if options.keep else run_demo
    try:
        with (
            lock_directory(directory),
            Deployment.choose(directory, render_seconds=options.render_seconds) as deployment,
        ):
            return run(console, deployment, deployment.environ(environ), workers=options.workers)
    except DirectoryInUse as problem:
        console.print(str(problem), markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def run_demo(console: Console, deployment: Deployment, environ: Mapping[str, str], *, workers: int) -> int:
    """Run the demo and print its checks; returns 0 if all of them pass."""
    begin = time.monotonic()
    logs = LogFiles(deployment.logs)
    processes = Processes(environ, output=logs, counts={"worker": workers})
    failing_once = {render.path for render in renders("") if render.refused_delivery}
    console.print(f"Starting {workers} workers, gateway, Flower, an embedded Redis and the sandbox of the vendor ...")
    with HookEndpoint(deployment.hook_secret, failing_once=failing_once) as endpoint, processes:
        try:
            start_processes(processes, deployment)
            console.print(f"Flower  {deployment.flower_url}  (user {' password '.join(deployment.flower_login)})\n")
            result = _render(console, deployment, processes, endpoint, workers)
            passed = _print_checks(console, result)
        except (DemoFailed, ProcessEnded) as failure:
            console.print(f"\nDemo failed: {failure}\n", markup=False)
            passed = False
        if not passed:
            console.print(logs.tail(processes.ended), markup=False)
    seconds = time.monotonic() - begin
    folder = os.path.relpath(deployment.logs)
    if passed:
        console.print(f"\nThe processes are stopped, their logs are in {folder}; `make up` keeps them running.")
        console.print(
            f"Demo passed: {len(result.records)} files in {os.path.relpath(deployment.videos)}, {seconds:.0f} s"
        )
    else:
        console.print(f"Demo failed after {seconds:.0f} s; the logs are in {folder}")
    return 0 if passed else 1


def _render(
    console: Console, deployment: Deployment, processes: Processes, endpoint: HookEndpoint, workers: int
) -> DemoResult:
    asked = renders(endpoint.url)
    app = producer(deployment.redis_url)
    with Redis.from_url(deployment.redis_url, decode_responses=True) as redis, screen_for(console, asked) as screen:
        ids = enqueue(app, asked, processes)
        records = follow(Ledger(redis), ids, screen, processes, seconds=_FOLLOW_SECONDS)
    return DemoResult(deployment, asked, records, endpoint.deliveries(), app, workers)


def _print_checks(console: Console, result: DemoResult) -> bool:
    console.print()
    passed = True
    for subject, holds, found in run_checks(result):
        console.print(f"{'[green]ok' if holds else '[red]NO'}[/]  {subject:<10}", end="")
        console.print(found, markup=False)
        passed = passed and holds
    return passed


def keep_running(console: Console, deployment: Deployment, environ: Mapping[str, str], *, workers: int) -> int:
    """Run the processes until Ctrl-C, each restarted alone if it dies; returns 1 if one cannot run."""
    logs = LogFiles(deployment.logs)
    processes = Processes(environ, output=logs, counts={"worker": workers})

    def say(line: str) -> None:
        console.print(f"{line}; its log is in {os.path.relpath(deployment.logs)}", markup=False)

    with processes:
        try:
            start_processes(processes, deployment)
            deployment.write_shell_file(environ)
            _addresses(console, deployment)
            processes.keep(say)
        except (DemoFailed, ProcessEnded) as failure:
            console.print(f"Stopping: {failure}\n\n{logs.tail(processes.ended)}", markup=False)
            return 1
        except KeyboardInterrupt:
            console.print("\nStopping ...")
            return 0


def _addresses(console: Console, deployment: Deployment) -> None:
    user, password = deployment.flower_login
    rows = {
        "board": f"{deployment.gateway_url}/",
        "gateway": f"{deployment.gateway_url}/docs",
        "Flower": f"{deployment.flower_url}  (user {user}, password {password})",
        "sandbox": f"{deployment.sandbox_url}/_sandbox/projects",
        "Redis": deployment.redis_url,
        "videos": deployment.videos.as_uri(),
        "hooks": f"signed with {deployment.hook_secret}",
        "logs": os.path.relpath(deployment.logs),
        "shell": f". {os.path.relpath(deployment.shell_file)}  (the settings, for `renderline` in another terminal)",
    }
    for name, value in rows.items():
        console.print(f"{name:<8} {value}", markup=False)
    if moved := deployment.moved:
        console.print(
            f"Taken on this machine, so others were chosen: {', '.join(moved)}; the file of the shell has them."
        )
    console.print("Up. Ctrl-C stops everything.")


if __name__ == "__main__":
    # What the processes write (logs, videos, databases) is for this user alone.
    os.umask(0o077)
    sys.exit(main(sys.argv[1:], os.environ))
