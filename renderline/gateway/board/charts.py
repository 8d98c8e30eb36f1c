"""Small charts as SVG: numbers in attributes, so that a page needs neither a script nor a style for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HEIGHT: Final = 40
STEP: Final = 4


@dataclass(frozen=True)
class Bar:
    """A bar of a chart, in the units of its view box."""

    x: int
    y: float
    height: float
    kind: str


@dataclass(frozen=True)
class Chart:
    """One chart with its text alternative."""

    title: str
    now: str
    """The latest figure, in words."""
    text: str
    """What the chart shows, for people who do not see it."""
    bars: Sequence[Bar]
    line: str
    """The points of a line above the bars; empty: none."""
    width: int


def chart(
    title: str,
    now: str,
    text: str,
    bars: Sequence[tuple[str, Sequence[float]]],
    line: Sequence[float] = (),
) -> Chart:
    """Return a chart of stacked bars, each kind with its values, and of a line; all begin at the oldest minute."""
    count = max((len(values) for _, values in bars), default=len(line))
    sums = [sum(values[index] for _, values in bars) for index in range(count)] if bars else [0.0]
    top = max([1e-9, *sums, *line])
    drawn: list[Bar] = []
    for index in range(count):
        base = float(HEIGHT)
        for kind, values in bars:
            height = round(HEIGHT * values[index] / top, 1)
            if height > 0:
                base -= height
                drawn.append(Bar(index * STEP, round(base, 1), height, kind))
    points = " ".join(f"{i * STEP + STEP / 2:g},{HEIGHT - HEIGHT * value / top:.1f}" for i, value in enumerate(line))
    return Chart(title, now, text, drawn, points, max(1, count) * STEP)
