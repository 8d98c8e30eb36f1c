"""A clock that the test moves."""

from __future__ import annotations

import time


class Clock:
    """Returns `now`, which only the test changes; it starts at the present second by default."""

    def __init__(self, now: float | None = None) -> None:
        self.now = float(int(time.time())) if now is None else now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds
