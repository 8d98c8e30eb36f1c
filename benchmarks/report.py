"""Prints the table of targets and figures, and writes the results file."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.result import BenchmarkResult, Row


def show(console: Console, results: Sequence[BenchmarkResult]) -> None:
    """Print one line for each figure with a target, and why others are missing."""
    table = Table(title="Measured against the targets", pad_edge=False)
    table.add_column("what", ratio=1)
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("")
    table.add_column("figures")
    for result in results:
        for row in result.rows:
            judgement = "[green]met[/green]" if row.met else "[red]missed[/red]"
            table.add_row(row.what, row.bound, f"[bold]{row.shown}[/bold]", judgement, row.note)
    console.print(table)
    for result in results:
        if result.state != "measured":
            console.print(f"{result.name} {result.state}: {result.why}", markup=False)
    rows = [row for result in results for row in result.rows]
    console.print(f"{sum(row.met for row in rows)} of {len(rows)} targets met")


def markdown(results: dict[str, Any]) -> str:
    """Return the table of kept results, for the README."""
    lines = ["| what | target | measured | | figures |", "|:--|--:|--:|:--|:--|"]
    for benchmark in results["benchmarks"].values():
        for kept in benchmark["rows"]:
            row = Row.from_json(kept)
            judgement = "met" if row.met else "**missed**"
            lines.append(f"| {row.what} | {row.bound} | {row.shown} | {judgement} | {row.note} |")
    return "\n".join(lines)


def write(path: Path, results: Sequence[BenchmarkResult], machine: dict[str, Any], *, partial: bool) -> dict[str, Any]:
    """Write the results and return them; a `partial` run keeps the earlier figures of the other benchmarks."""
    kept: dict[str, Any] = {}
    if partial and path.exists():
        kept = json.loads(path.read_text())["benchmarks"]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for result in results:
        kept[result.name] = {**result.as_json(), "at": now, "machine": machine}
    document = {"at": now, "machine": machine, "benchmarks": kept}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    return document
