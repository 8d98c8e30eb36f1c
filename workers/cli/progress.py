"""What is shown while many renders are waited for: one bar for all on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, Self

from rich.cells import set_cell_size
from rich.console import Console
from rich.text import Text

from workers.cli import views
from workers.cli.bars import Bars
from workers.cli.painter import Painter
from workers.cli.tally import Tally

Record = Mapping[str, Any]

_REDRAW = 0.5
"""Seconds between two drawings."""

_LINE_EVERY = 5.0
"""Seconds between two lines in the first minute; afterwards it is three times as long."""

_SILENT_FOR = 60.0
"""Seconds after which a line is written although nothing has changed."""


class Progress(Protocol):
    """Shows how far renders are."""

    def show(self, records: Sequence[Record]) -> None:
        """Take in changed records; called without any, too, so that the time goes on."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


def progress_of(console: Console, count: int, *, silent: bool) -> Progress:
    """Return what shows `count` renders on this console; `silent`: without a terminal nothing does."""
    if not console.is_terminal or console.is_dumb_terminal:
        return Nothing() if silent else Lines(count, write=lambda line: _write(console, line))
    _, height = Painter(console).size
    return Bars(console) if count <= max(1, height - 1) else Screen(console, count)


def _write(console: Console, line: str) -> None:
    console.file.write(f"{line}\n")
    console.file.flush()


class Nothing:
    """Shows nothing."""

    def show(self, records: Sequence[Record]) -> None:
        """Take in nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Screen:
    """One bar for all renders, and as many of them as there are lines: those that move, the newest failures."""

    def __init__(self, console: Console, count: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tally = Tally(count, now=clock())
        self._painter = Painter(console)
        self._drawn_at = float("-inf")

    def show(self, records: Sequence[Record]) -> None:
        """Take in changed records, and draw."""
        now = self._clock()
        self._tally.update(records, now=now)
        if now - self._drawn_at >= _REDRAW:
            self._drawn_at = now
            self._painter.paint(self._lines(now))

    def _lines(self, now: float) -> list[Text]:
        width, height = self._painter.size
        head = [_total(self._tally, width), Text(_speed(self._tally, now), style="dim")]
        room = max(0, height - len(head))
        failures = self._tally.failures(max(room // 3, room - len(self._tally.moving(room))))
        moving = self._tally.moving(room - len(failures))
        return [*head, *(_row(one, width) for one in moving), *(_failure(one) for one in failures)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._painter.wipe()


class Lines:
    """A line now and then (time, states, rate, expected end), and one for each render that fails."""

    def __init__(
        self,
        count: int,
        *,
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._write, self._clock, self._wall = write, clock, wall
        self._tally = Tally(count, now=clock())
        self._written: set[str] = set()
        self._written_at, self._shown = clock(), ""

    def show(self, records: Sequence[Record]) -> None:
        """Take in changed records, and write what is new."""
        now = self._clock()
        self._tally.update(records, now=now)
        for record in reversed(self._tally.failures(len(records))):
            if record["id"] not in self._written:
                self._written.add(record["id"])
                self._write(f"{self._wall():%H:%M:%S} {record['id']} {_failure(record).plain}")
        every = _LINE_EVERY if now - self._tally.began < 60 else 3 * _LINE_EVERY
        shown = self._tally.by_state()
        if now - self._written_at >= (every if shown != self._shown else _SILENT_FOR):
            self._written_at, self._shown = now, shown
            self._write(f"{self._wall():%H:%M:%S} {shown}; {_speed(self._tally, now)}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


def _total(tally: Tally, width: int) -> Text:
    share = tally.ended / tally.total if tally.total else 1.0
    line = Text(f"{tally.total} renders ", style="bold")
    line.append_text(_bar(share, max(5, min(40, width - 60))))
    return line.append(f" {int(100 * share):>3} %  {tally.by_state()}", style="")


def _speed(tally: Tally, now: float) -> str:
    """Return the time that has passed, the rate and the expected end."""
    parts = [views.span(now - tally.began)]
    if rate := tally.per_minute(now=now):
        parts.append(f"{rate:.1f} renders/min" if rate < 100 else f"{rate:.0f} renders/min")
    # The last hooks may still run when nothing else is left: "about 0 s" would stand there for long.
    if tally.ended < tally.total and (left := tally.left(now=now)) is not None and 0.5 < left < 30 * 86400:
        at = datetime.now() + timedelta(seconds=left)
        day = "" if at.date() == datetime.now().date() else f"{at:%Y-%m-%d} "
        parts.append(f"about {views.span(left)} left, until {day}{at:%H:%M}")
    return ", ".join(parts)


def _bar(share: float, width: int) -> Text:
    full = int(share * width)
    bar = Text("\u2501" * full, style="green")
    return bar.append("\u2500" * (width - full), style="dim")


def _row(record: Record, width: int) -> Text:
    line = Text(f"{set_cell_size(views.name(record), 24)} ")
    if width > 70:
        line.append_text(_bar(min(float(record["progress"]), 100.0) / 100, 20)).append(" ")
    line.append(f"{float(record['progress']):>3.0f} %  ")
    return line.append_text(views.state_text(record["state"]))


def _failure(record: Record) -> Text:
    why = views.problem(record)
    line = views.state_text(record["state"])
    return line.append(f"  {views.name(record)}{f': {why}' if why else ''}", style="")
