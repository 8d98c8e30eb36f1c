"""Time that passes only when somebody waits for it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Clock:
    """Runs what was scheduled, in order, as time is moved on. Times are seconds; `now` begins as an epoch time."""

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def call_in(self, seconds: float, work: Callable[[], object]) -> None:
        """Run `work` after so many seconds."""
        heapq.heappush(self._due, (self.now + max(0.0, seconds), next(self._numbers), work))

    def advance(self, seconds: float) -> None:
        """Let time pass, and run what falls due meanwhile."""
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self._run_next()
        self.now = end

    def advance_to_next(self, most: float) -> bool:
        """Run the next thing that is due within `most` seconds; otherwise let them pass and return False."""
        if self._due and self._due[0][0] <= self.now + most:
            self._run_next()
            return True
        self.now += most
        return False

    def run(self, most: float = 30 * 86400.0) -> None:
        """Run everything that is scheduled within `most` seconds."""
        end = self.now + most
        while self._due and self._due[0][0] <= end:
            self._run_next()

    def monotonic(self) -> float:
        """Return the time, as `time.monotonic` does."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass, as `time.sleep` does."""
        self.advance(seconds)

    def _run_next(self) -> None:
        at, _, work = heapq.heappop(self._due)
        self.now = max(self.now, at)
        work()
