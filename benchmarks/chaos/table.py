"""Shows a run's figures: tables for the terminal, JSON for the documentation and later comparison."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.accounting import MUST_BE_NONE
from benchmarks.chaos.run import Result

_ROWS = {
    "asked": "requests sent",
    "asked_again": "sent again, same key",
    "accepted": "accepted",
    "delivered": "delivered",
    "failed": "failed",
    "lost": "lost",
    "stuck": "stuck",
    "projects_created": "drafts created",
    "orphans_left": "orphans left",
    "exports_started": "exports started",
    "exported_twice": "exported twice",
    "credits_charged": "credits charged",
    "credits_due": "credits due",
    "paid_in_vain": "paid in vain",
    "wrong_projects": "recorded with a project that is not theirs",
    "hooks_delivered": "hooks delivered",
    "hooks_missing": "hooks missing",
    "hooks_repeated": "hooks delivered twice, same id",
    "hooks_under_two_ids": "hooks under two ids",
    "token_calls": "token calls",
    "vendor_calls": "vendor calls",
    "worker_kills": "workers killed",
    "worker_deaths": "workers that ended by themselves",
    "wall_seconds": "wall time, s",
}
_UNKNOWN = "-"


def show(console: Console, results: Mapping[str, Result]) -> None:
    """Print the tables, and remarks on renders that did not end well."""
    table = Table(title="Outcome")
    table.add_column("")
    for name in results:
        table.add_column(name, justify="right")
    figures = [result.figures.as_json() for result in results.values()]
    for field, title in _ROWS.items():
        table.add_row(title, *(_cell(field, one[field]) for one in figures))
    console.print(table)
    for name, result in results.items():
        console.print(_durations(name, result))
        faults = ", ".join(f"{fault} {count}" for fault, count in result.faults.items())
        console.print(f"{name}: {faults}; calls of hooks that hung {result.receiver_hung}", markup=False)
        for one in result.untold[:10]:
            console.print(f"{name}: render {one.order} {one.fate}: {one.why}", markup=False)
        for order, projects in list(result.twice.items())[:10]:
            console.print(f"{name}: render {order} was exported twice: {', '.join(projects)}", markup=False)
        for one in result.misled[:10]:
            console.print(f"{name}: render {one.order} is recorded with project {one.project_id}", markup=False)
        for orphan in result.orphans[:10]:
            console.print(f"{name}: project {orphan} was drafted and forgotten", markup=False)


def _cell(field: str, value: float) -> str:
    text = f"{value:,}"
    if field in MUST_BE_NONE:
        return f"[red]{text}[/red]" if value else f"[green]{text}[/green]"
    return f"[yellow]{text}[/yellow]" if field == "failed" and value else text


def _durations(name: str, result: Result) -> Table:
    table = Table(title=f"{name}: seconds, by the fault at the time of the request")
    for column in ("", "renders", "to start p95", "end to hook p50", "p95", "to last hook p50", "p95"):
        table.add_column(column, justify="right" if column else "left")
    for group, pace in result.durations.items():
        table.add_row(group, *(_UNKNOWN if value is None else f"{value:g}" for value in pace.as_json().values()))
    return table


def write(path: Path, results: Mapping[str, Result]) -> None:
    """Write the figures, with the plans and the machine."""
    document: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "results": {
            name: {
                **result.figures.as_json(),
                "plan": asdict(result.plan),
                "faults": result.faults,
                "durations": {group: pace.as_json() for group, pace in result.durations.items()},
                "receiver_calls": result.receiver_calls,
                "receiver_refused": result.receiver_refused,
                "receiver_hung": result.receiver_hung,
            }
            for name, result in results.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def machine() -> str:
    """Return a short description of this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"
