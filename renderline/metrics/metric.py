"""What a metric is called and means. docs/metrics.md lists all of them, from these declarations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["ledger", "gateway", "worker"]
"""Who exports it: the gateway, read from the ledger for all processes; each gateway, and each worker, of itself."""


@dataclass(frozen=True)
class Metric:
    """One metric. `name` follows Prometheus' conventions: base units, `_total` at the end of a counter."""

    name: str
    type: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in its unit."""

    @property
    def series(self) -> tuple[str, ...]:
        """Return the names under which its samples appear."""
        if self.type == "histogram":
            return tuple(f"{self.name}_{ending}" for ending in ("bucket", "sum", "count"))
        return (self.name,)


CALLS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Buckets in seconds of one HTTP call."""
WAITS = (0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
"""Buckets in seconds of what takes as long as a render."""
