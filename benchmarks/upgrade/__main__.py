"""Rolls workers of two versions back and forth under kills, and counts what is lost or paid twice."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.system import scrub
from benchmarks.upgrade.fleet import Fleet, fleet
from benchmarks.upgrade.future import KIND, future_copy
from harness.samples import ROOT

RESULTS: Final = Path(__file__).parents[1] / "results" / "upgrade.json"
FIRST: Final = "899452f"
"""The first commit with a ledger of schema 2 that every process checks."""


def earlier_checkout(directory: Path, commit: str) -> Path | None:
    """Unpack a commit of this repository; None where its history is not there."""
    found = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if found.returncode:
        return None
    with tarfile.open(fileobj=BytesIO(found.stdout)) as archive:
        archive.extractall(directory, filter="data")
    return directory


def roll(system: Fleet, old: Path, new: Path, *, kinds: Sequence[str], renders: int, rounds: int) -> None:
    """Send renders of the kinds in turn while two workers of `old` become `new`, and back, by stops and kills."""
    shared = KIND in kinds
    running = [(old, system.start(old, shared=shared)) for _ in range(2)]
    steps = 4 * rounds
    sent = 0
    for step in range(steps):
        upto = renders * (step + 1) // steps
        for place, kind in enumerate(kinds):
            system.send(kind, [number for number in range(sent, upto) if number % len(kinds) == place])
        sent = upto
        time.sleep(2.0)
        version, worker = running.pop(0)
        # Each second one dies without a word.
        worker.kill() if step % 2 else worker.stop()
        following = new if version == old else old
        running.append((following, system.start(following, shared=shared)))
    for version, worker in running:
        if version != new:
            worker.stop()
    system.start(new, shared=shared)


def measure(name: str, old: Path, new: Path, *, kinds: Sequence[str], renders: int, rounds: int) -> dict[str, Any]:
    """Return the outcome of one pair of versions."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder), render_seconds=2.0) as system:
        roll(system, old, new, kinds=kinds, renders=renders, rounds=rounds)
        system.wait(seconds=240.0)
        outcome = system.outcome([old] if KIND in kinds else [])
        started = {"old": 0, "new": 0}
        for version, _ in system.workers:
            started["old" if version == old else "new"] += 1
    return {"pair": name, "seconds": round(time.monotonic() - began, 1), "workers started": started, **outcome}


def held(outcome: dict[str, Any]) -> bool:
    """Return whether nothing was lost or paid twice."""
    return outcome["delivered"] == outcome["paid"] == outcome["renders"] and not any(
        outcome[name] for name in ("paid twice", "not paid", "hooks under more than one id", "hooks missing")
    )


def main(arguments: Sequence[str]) -> int:
    """Run, print and keep the figures; 1 if something was lost or paid twice."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upgrade", description=__doc__)
    parser.add_argument("--renders", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3, help="of rolling there and back; default: %(default)s")
    parser.add_argument("--commit", default=FIRST, help="an earlier version; default: %(default)s")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    size = {"renders": chosen.renders, "rounds": chosen.rounds}
    with tempfile.TemporaryDirectory() as folder:
        future = future_copy(Path(folder) / "future")
        runs = [measure("this version and the next", ROOT, future, kinds=("project", KIND), **size)]
        earlier = earlier_checkout(Path(folder) / "earlier", chosen.commit)
        if earlier:
            name = f"commit {chosen.commit} and this version"
            runs.append(measure(name, earlier, ROOT, kinds=("project",), **size))
        else:
            print(f"skipped: commit {chosen.commit} is not in the history here", file=sys.stderr)
    kept = {"machine": machine.described(), "runs": runs}
    chosen.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(runs, indent=1))
    return 0 if all(map(held, runs)) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
