"""`make bench`: runs the benchmarks, compares every figure with its target, writes results and charts."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import machine
from benchmarks.catalogue import CASES, Case
from benchmarks.report import markdown, show, write
from benchmarks.result import BenchmarkResult
from benchmarks.system import scrub

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "latest.json"


def main(arguments: Sequence[str]) -> int:
    """Run and report; returns 1 if a benchmark could not run. A missed target does not change that."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=tuple(CASES), help="run this one; repeatable")
    parser.add_argument("--json", type=Path, default=RESULTS, metavar="FILE", help="default: %(default)s")
    parser.add_argument("--no-charts", action="store_true", help="leave docs/images as it is")
    parser.add_argument("--table", action="store_true", help="measure nothing; print the kept figures as Markdown")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        print(markdown(json.loads(chosen.json.read_text())))
        return 0
    # An exception, so that the started processes are ended on the way out.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    scrub()
    console = Console(highlight=False)
    about = machine.described()
    console.print(", ".join(f"{name} {value}" for name, value in about.items()))
    results = [_run(name, CASES[name], console) for name in chosen.only or CASES]
    show(console, results)
    kept = write(chosen.json, results, about, partial=bool(chosen.only))
    if not chosen.no_charts:
        from benchmarks.chart import draw

        for path in draw(kept, ROOT / "docs" / "images"):
            console.print(f"Chart: {path.relative_to(ROOT)}", markup=False)
    console.print(f"Figures: {chosen.json}", markup=False)
    return 1 if any(result.state == "failed" for result in results) else 0


def _run(name: str, case: Case, console: Console) -> BenchmarkResult:
    begin = time.monotonic()
    console.print(f"[bold]{name}[/bold]  {case.title}")
    try:
        result = case.run(lambda text: console.print(f"  {time.monotonic() - begin:5.1f} s  {text}", markup=False))
    except Exception as error:
        # A benchmark that cannot run must not lose the figures of the others.
        console.print(traceback.format_exc(), markup=False)
        result = BenchmarkResult(name, case.title, state="failed", why=f"{type(error).__name__}: {error}")
    result.seconds = time.monotonic() - begin
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
