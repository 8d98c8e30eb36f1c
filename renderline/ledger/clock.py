"""The Redis server's clock, read from memory. All processes agree on it, even if their own clocks are wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from redis import Redis, RedisError

from renderline.ledger.keys import Keys

SKEWED = 2.0
"""Seconds by which a machine's clock may differ from the server's before it is reported."""

_EVERY = 60.0
_AFTER_FAILURE = 5.0
_JUMP = 0.5


def epoch_seconds(answer: Any) -> float:
    """Return the server's answer to TIME, seconds and microseconds, as epoch seconds."""
    seconds, micros = answer
    return int(seconds) + int(micros) / 1e6


class ServerClock:
    """Tells the server's time in epoch seconds. It is measured every minute, and after this machine's clock was set.

    In between the monotonic clock carries it on. If the server does not answer, the last measurement is kept; before
    the first one this machine's own clock is used.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._offset: float | None = None
        self._own_offset = 0.0
        self._measure_at = 0.0

    def __call__(self) -> float:
        """Return the server's time now."""
        if self._outdated() and self._lock.acquire(blocking=self._offset is None):
            try:
                if self._outdated():
                    self._measure()
            finally:
                self._lock.release()
        offset = self._offset
        return time.time() if offset is None else offset + time.monotonic()

    def skew(self) -> float:
        """Return by how many seconds this machine's clock is ahead of the server's."""
        return time.time() - self()

    def _outdated(self) -> bool:
        # The machine slept, or its clock was set: wall clock and monotonic clock have drifted apart.
        jumped = abs(time.time() - time.monotonic() - self._own_offset) > _JUMP
        return time.monotonic() >= self._measure_at or (jumped and self._offset is not None)

    def _measure(self) -> None:
        before = time.monotonic()
        try:
            server = epoch_seconds(self._redis.time())
        except RedisError:
            self._measure_at = time.monotonic() + _AFTER_FAILURE
            return
        after = time.monotonic()
        self._offset = server - (before + after) / 2
        self._own_offset = time.time() - after
        self._measure_at = after + _EVERY


def note_skew(redis: Redis, worker: str, ahead: float, *, prefix: str, seconds: float) -> None:
    """Record for `seconds` that a worker's clock is `ahead` of the server's by so many seconds."""
    redis.set(Keys(prefix).clock_skew(worker), f"{ahead:.1f}", px=int(seconds * 1000))


def skews(redis: Redis, workers: Sequence[str], *, prefix: str) -> dict[str, float]:
    """Return, by worker, the seconds by which its clock is ahead; only workers with a recorded error."""
    if not workers:
        return {}
    found: Any = redis.mget([Keys(prefix).clock_skew(worker) for worker in workers])
    return {worker: float(ahead) for worker, ahead in zip(workers, found, strict=True) if ahead}
