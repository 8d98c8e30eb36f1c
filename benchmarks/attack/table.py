"""Shows what held: a table for the terminal, JSON for the documentation."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.chaos.table import machine


@dataclass(frozen=True)
class Outcome:
    """What became of one attack; `seconds` is how long it took."""

    name: str
    what: str
    held: bool
    figure: str
    seconds: float

    @property
    def verdict(self) -> str:
        """The word of the table."""
        return "held" if self.held else "BROKEN"


def show(console: Console, outcomes: Sequence[Outcome]) -> None:
    """Print the table."""
    table = Table(title="Attacks")
    for column in ("attack", "held", "figure"):
        table.add_column(column)
    for outcome in outcomes:
        color = "green" if outcome.held else "red"
        table.add_row(outcome.name, f"[{color}]{outcome.verdict}[/{color}]", outcome.figure.replace("[", r"\["))
    console.print(table)
    held = sum(outcome.held for outcome in outcomes)
    console.print(f"{held} of {len(outcomes)} held, {sum(one.seconds for one in outcomes) / 60:.1f} minutes")


def write(path: Path, outcomes: Sequence[Outcome], *, order: Sequence[str], whole: bool) -> None:
    """Write the figures, with the machine. Unless it was the `whole` run, other attacks keep theirs."""
    earlier = [] if whole or not path.exists() else json.loads(path.read_text())["attacks"]
    rows = {one["name"]: one for one in earlier}
    rows |= {one.name: {**asdict(one), "seconds": round(one.seconds, 1)} for one in outcomes}
    document: dict[str, Any] = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": machine(),
        "attacks": [rows[name] for name in order if name in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
