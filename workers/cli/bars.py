"""Progress bars of renders on a terminal: one each, or a single one if they would not fit on the screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from renderline.renders import FINAL, State
from workers.cli.errors import plain

Record = Mapping[str, Any]

_GOOD = "delivered"


class Bars:
    """Shows how far `count` renders are; nothing without a terminal."""

    def __init__(self, console: Console, count: int) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        self._total: TaskID | None = None
        if count > max(1, console.height - 2):
            # A bar for each of a thousand renders would take the terminal minutes to draw.
            self._total = self._progress.add_task(f"{count} renders", total=count, state="")

    def show(self, records: Sequence[Record]) -> None:
        """Update the bars."""
        if self._total is not None:
            self._states.update({record["id"]: record["state"] for record in records})
            ended = sum(state in FINAL for state in self._states.values())
            self._progress.update(self._total, completed=ended, state=_counted(self._states.values()))
            return
        for record in records:
            self._show_one(record)

    def _show_one(self, record: Record) -> None:
        ended = record["state"] in FINAL
        task = self._tasks.get(record["id"])
        if task is None:
            name = plain(record["name"] or "")[:40] or record["id"]
            task = self._tasks[record["id"]] = self._progress.add_task(name, total=100, state="")
        done = 100 if record["state"] == _GOOD else min(record["progress"], 99 if not ended else 100)
        self._progress.update(task, completed=done, state=record["state"])
        if ended:
            self._progress.stop_task(task)

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _counted(states: Any) -> str:
    """Return how many renders are in each state, in the order in which a render goes through them."""
    counts = Counter(states)
    return ", ".join(f"{counts[state]} {state}" for state in State if counts[state])
