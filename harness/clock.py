"""A clock that a test advances."""

from __future__ import annotations

import time


class Clock:
    """Returns `now`, which only the test changes; it starts at the current second by default."""

    def __init__(self, now: float | None = None) -> None:
        self.now = float(int(time.time())) if now is None else now

    def __call__(self) -> float:
        return self.now

    def forward(self, seconds: float) -> None:
        """Advance by so many seconds."""
        self.now += seconds
