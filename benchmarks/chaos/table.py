"""How a run's figures are shown: a table with a column for each system, and JSON for later comparison."""

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

from benchmarks.chaos.plan import Plan
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
    "hooks_delivered": "hooks delivered",
    "hooks_missing": "hooks missing",
    "hooks_repeated": "hooks delivered twice, same id",
    "token_calls": "token calls",
    "vendor_calls": "vendor calls",
    "worker_kills": "workers killed",
    "wall_seconds": "wall time, s",
}
_MUST_BE_NONE = frozenset({"lost", "stuck", "exported_twice", "orphans_left", "hooks_missing"})


def show(console: Console, results: Mapping[str, Result]) -> None:
    """Print the table, and what is to be said of renders that did not end well."""
    table = Table(title="What became of it")
    table.add_column("")
    for name in results:
        table.add_column(name, justify="right")
    figures = [result.figures.as_json() for result in results.values()]
    for field, title in _ROWS.items():
        table.add_row(title, *(_cell(field, one[field]) for one in figures))
    console.print(table)
    for name, result in results.items():
        for one in result.untold[:10]:
            console.print(f"{name}: render {one.order} {one.fate}: {one.why}", markup=False)
        for orphan in result.orphans[:10]:
            console.print(f"{name}: project {orphan} was drafted and forgotten", markup=False)


def _cell(field: str, value: float) -> str:
    text = f"{value:,}"
    if field in _MUST_BE_NONE:
        return f"[red]{text}[/red]" if value else f"[green]{text}[/green]"
    return text


def write(path: Path, plan: Plan, results: Mapping[str, Result]) -> None:
    """Write the figures with the plan and the machine that gave them."""
    document: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "plan": asdict(plan),
        "results": {
            name: {
                **result.figures.as_json(),
                "vendor_faults": result.faults,
                "receiver_calls": result.receiver_calls,
                "receiver_refused": result.receiver_refused,
            }
            for name, result in results.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")


def machine() -> str:
    """Return what this machine is, in a few words."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, Python {platform.python_version()}"
