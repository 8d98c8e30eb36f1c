"""Latencies of honest callers while an attack goes on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import requests

TIMEOUT = 5.0
"""Seconds after which an honest call counts as failed."""


@dataclass(frozen=True)
class Latencies:
    """The seconds of calls, and how many got no answer or an error of the server."""

    seconds: Sequence[float]
    failed: int

    @property
    def p95(self) -> float:
        """95 of 100 calls took no longer; a failed call counts as endless."""
        ordered = sorted([*self.seconds, *[math.inf] * self.failed])
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else math.inf

    def __str__(self) -> str:
        if math.isinf(self.p95):
            return f"{self.failed} of {self.failed + len(self.seconds)} unanswered in {TIMEOUT:g} s"
        lost = f", {self.failed} failed" if self.failed else ""
        return f"p95 {self.p95 * 1000:.0f} ms{lost}"


def measure(calls: Sequence[Callable[[], requests.Response]], *, seconds: float, pause: float = 0.05) -> Latencies:
    """Make the calls in turn for so many seconds; at least each once."""
    taken: list[float] = []
    failed = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for make in calls:
            begin = time.monotonic()
            try:
                answered = make().status_code < 500
            except requests.RequestException:
                answered = False
            if answered:
                taken.append(time.monotonic() - begin)
            else:
                failed += 1
            time.sleep(pause)
    return Latencies(taken, failed)
