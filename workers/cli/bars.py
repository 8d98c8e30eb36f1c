"""Progress bars of a few renders on a terminal, one each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from renderline.renders import FINAL
from workers.cli.errors import plain

Record = Mapping[str, Any]

_GOOD = "delivered"


class Bars:
    """Shows how far each render is."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def show(self, records: Sequence[Record]) -> None:
        """Update the bars."""
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

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
