"""The log of outages: one warning when something stops working, and one when all of it works again."""

from __future__ import annotations

import threading
import time

import structlog

log = structlog.get_logger(__name__)


class Outage:
    """Whether something that a process needs, such as the broker, is down for some of its parts."""

    def __init__(self, of: str) -> None:
        self._of, self._lock = of, threading.Lock()
        self._failing: set[str] = set()
        self._since = 0.0
        self._failures = 0

    def failed(self, part: str, why: str) -> None:
        """A part of this process could not use it. The first such failure is logged."""
        with self._lock:
            if not self._failing:
                self._since, self._failures = time.monotonic(), 0
                log.warning("outage began", of=self._of, part=part, why=why)
            self._failing.add(part)
            self._failures += 1

    def worked(self, part: str) -> None:
        """A part of this process could use it. Once no part fails any more, the end of the outage is logged."""
        if part not in self._failing:
            return
        with self._lock:
            self._failing.discard(part)
            if not self._failing:
                seconds = round(time.monotonic() - self._since, 1)
                log.warning("outage ended", of=self._of, seconds=seconds, failures=self._failures)
