"""`make mutants`: applies each mutant to a copy of the tree and runs the test that must fail."""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.mutants.mutant import ROOT, Mutant, NotApplicable, mutants

TIMEOUT: Final = 90.0
"""Seconds for one test. One that hangs without its defence has noticed."""

_LEFT_OUT: Final = shutil.ignore_patterns(
    ".git", ".venv*", "var", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info"
)


class Trial(NamedTuple):
    """What the test did without the defence: `failed`, `passed` or `error`, why, and the seconds."""

    mutant: Mutant
    outcome: str
    why: str
    seconds: float


def main(arguments: Sequence[str]) -> int:
    """Run the mutants and report; returns 1 unless each was noticed."""
    chosen = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    every = [one for one in mutants() if any(part in f"{one.test} {one.file}" for part in chosen.only.split(","))]
    console = Console(highlight=False)
    begin = time.monotonic()
    trials: list[Trial] = []
    with _copies(chosen.jobs) as free, ThreadPoolExecutor(chosen.jobs) as threads:
        unsound = _failing({one.test for one in every}, chosen.jobs)

        def one_of(mutant: Mutant) -> Trial:
            root = free.get()
            try:
                return _try(mutant, root, sound=mutant.test not in unsound)
            finally:
                free.put(root)

        for trial in threads.map(one_of, every):
            trials.append(trial)
            console.print(
                f"{trial.outcome:7} {trial.seconds:5.1f} s  {trial.mutant.test}", markup=False, soft_wrap=True
            )
    _show(console, trials)
    seen = sum(trial.outcome == "failed" for trial in trials)
    minutes = (time.monotonic() - begin) / 60
    console.print(f"{seen} of {len(trials)} tests were seen to fail without their defence, {minutes:.1f} minutes")
    return 0 if trials and seen == len(trials) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT,...", help="those whose test or file holds one of these")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="default: %(default)s")
    return parser


@contextlib.contextmanager
def _copies(count: int) -> Iterator[queue.Queue[Path]]:
    """Yield so many copies of the tree."""
    free: queue.Queue[Path] = queue.Queue()
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        for number in range(count):
            root = Path(directory) / f"copy-{number}"
            shutil.copytree(ROOT, root, ignore=_LEFT_OUT)
            (root / ".venv").symlink_to(ROOT / ".venv")
            free.put(root)
        yield free


def _try(mutant: Mutant, root: Path, *, sound: bool) -> Trial:
    begin = time.monotonic()
    path = root / mutant.file
    try:
        changed = mutant.apply(root)
    except NotApplicable as problem:
        return Trial(mutant, "error", str(problem), 0.0)
    whole = path.read_text(encoding="utf-8")
    if not sound:
        return Trial(mutant, "error", "it fails with the defence, too", 0.0)
    try:
        path.write_text(changed, encoding="utf-8")
        outcome, why = _run(mutant.test, root)
    finally:
        path.write_text(whole, encoding="utf-8")
    return Trial(mutant, outcome, why, time.monotonic() - begin)


def _failing(tests: set[str], jobs: int) -> set[str]:
    """Run the tests in the tree as it is, and return those that do not pass."""
    options = ["-q", "-rfE", "-p", "no:cacheprovider", "-o", "addopts=", "-n", str(jobs), "--dist", "loadfile"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *sorted(tests)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    named = re.findall(r"^(?:FAILED|ERROR) (tests/[^\s\[]+)", done.stdout, re.MULTILINE)
    if done.returncode and not named:
        raise SystemExit(f"The tests cannot be run:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    return set(named)


def _run(test: str, root: Path) -> tuple[str, str]:
    """Run one test in a copy; returns `passed`, `failed` or `error`, and the last words."""
    options = ["-x", "-q", "-rf", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts="]
    # Nothing of an earlier state: a changed file may have the size and second of the one before.
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "300"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, test],
        cwd=root,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        # An interrupt first, so that the test ends the processes that it has started.
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "failed", f"not within {TIMEOUT:g} s"
    if process.returncode == 0:
        return "passed", ""
    # A test that cannot even be set up has noticed nothing.
    failed = process.returncode == 1 and re.search(r"^(\d+ failed|FAILED )", output, re.MULTILINE)
    return ("failed" if failed else "error"), _reason(output)


def _reason(output: str) -> str:
    """Return what failed first, on one line."""
    found = re.search(r"^FAILED \S+ - (.*)$", output, re.MULTILINE)
    return " ".join((found[1] if found else output.strip()[-200:]).split())[:200]


def _show(console: Console, trials: Sequence[Trial]) -> None:
    table = Table(title="Defences taken out")
    for column in ("file", "test", "seen to fail", "how"):
        table.add_column(column)
    for mutant, outcome, why, _ in trials:
        seen = "[green]yes[/green]" if outcome == "failed" else f"[red]{outcome.upper()}[/red]"
        table.add_row(mutant.file, mutant.test.removeprefix("tests/"), seen, why.replace("[", r"\[")[:120])
    console.print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
