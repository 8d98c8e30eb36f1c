"""The demo's progress: a bar for each render on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Column

from workers.demo.scenario import DemoRender

Record = Mapping[str, Any]

_COLOURS = {"delivered": "green", "completed": "cyan", "rendering": "blue", "unconfirmed": "yellow"}
_BAD = ("failed", "expired", "undelivered", "canceled")


class Screen(Protocol):
    """Shows the records of the demo's renders, None where there is none yet."""

    def show(self, records: Sequence[Record | None]) -> None:
        """Show the progress of each render."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def screen_for(console: Console, renders: Sequence[DemoRender]) -> Screen:
    """Return bars for a terminal, lines for anything else."""
    return Bars(console, renders) if console.is_terminal else Lines(console, renders)


def remark(render: DemoRender, record: Record) -> str:
    """Return the render's fault or error, if it had one."""
    if record.get("error"):
        return f"{record['error']['origin']}: {record['error']['message']}"
    if record["state"] == "unconfirmed":
        return "outcome unknown, reading the project"
    if render.fault and (
        record["attempts"] > 1
        or "unconfirmed" in record["times"]
        or any(hook["attempts"] > 1 for hook in record["hooks"])
    ):
        return render.fault
    return str(record.get("note") or "")


class Bars:
    """A live bar for each render."""

    def __init__(self, console: Console, renders: Sequence[DemoRender]) -> None:
        self._renders = renders
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TextColumn("{task.fields[state]}"),
            # Cut off, not wrapped, on a narrow terminal.
            TextColumn("[dim]{task.fields[remark]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            refresh_per_second=8,
        )
        self._bars: list[TaskID] = [
            self._progress.add_task(escape(render.title), total=100, state="[dim]sent", remark="") for render in renders
        ]

    def show(self, records: Sequence[Record | None]) -> None:
        """Move the bars."""
        for render, bar, record in zip(self._renders, self._bars, records, strict=True):
            if record is None:
                continue
            state = record["state"]
            colour = "red" if state in _BAD else _COLOURS.get(state, "dim")
            self._progress.update(
                bar,
                completed=record["progress"] or 0,
                state=f"[{colour}]{state:<11}",
                remark=escape(remark(render, record)),
            )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


class Lines:
    """A line whenever a render's state or remark changes."""

    def __init__(self, console: Console, renders: Sequence[DemoRender]) -> None:
        self._console, self._renders = console, renders
        self._shown: dict[str, tuple[str, str]] = {}
        self._begin = time.monotonic()

    def show(self, records: Sequence[Record | None]) -> None:
        """Print what is new."""
        for render, record in zip(self._renders, records, strict=True):
            if record is None:
                continue
            now = (str(record["state"]), remark(render, record))
            if self._shown.get(render.key) == now:
                continue
            self._shown[render.key] = now
            line = f"{time.monotonic() - self._begin:5.1f} s  {render.title:<19} {now[0]:<11} {now[1]}"
            self._console.print(line.rstrip(), markup=False, highlight=False, soft_wrap=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
