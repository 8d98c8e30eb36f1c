"""The result of a benchmark: its figures, and the rows that compare them with a target."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Row:
    """A figure and its target; `least` says that the target is a minimum."""

    what: str
    value: float
    target: float
    unit: str = ""
    least: bool = False
    note: str = ""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.value >= self.target if self.least else self.value <= self.target

    @property
    def shown(self) -> str:
        """The value with its unit, for display."""
        return f"{_short(self.value)} {self.unit}".strip()

    @property
    def bound(self) -> str:
        """The target with its unit, for display."""
        return f"{'≥' if self.least else '≤'} {_short(self.target)} {self.unit}".strip()

    def as_json(self) -> dict[str, Any]:
        """Return the row with its judgement."""
        return {**asdict(self), "value": round(self.value, 3), "met": self.met}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Row:
        """Return the row from the results file; whether it is met is computed again."""
        return cls(**{name: value for name, value in kept.items() if name != "met"})


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


@dataclass
class BenchmarkResult:
    """The result of one benchmark. `figures` is what it measured, repeated measurements as lists."""

    name: str
    title: str
    rows: list[Row] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    state: Literal["measured", "skipped", "failed"] = "measured"
    why: str = ""
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """Return the entry for the results file."""
        return {**asdict(self), "seconds": round(self.seconds, 1), "rows": [row.as_json() for row in self.rows]}


Say = Callable[[str], None]
"""Reports progress to the person who watches."""


def median(values: Iterable[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))


def quantile(values: Iterable[float], share: float) -> float:
    """Return the value below which `share` (0 to 1) of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def rounded(values: Iterable[float], digits: int = 3) -> list[float]:
    """Return the values rounded, for the results file."""
    return [round(value, digits) for value in values]
