"""Bulkheads: how many calls one account (or one hook endpoint) may have under way in this process.

A vendor that hangs then holds its own threads and no others. Nothing waits in a queue behind a call that hangs.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass

_STALLED = 3.0
"""Seconds without an ended call after which the running calls count as hanging. Then no thread waits for them."""


@dataclass
class _Waiting:
    """The threads that wait for one account."""

    changed: threading.Condition
    count: int = 0


class Bulkhead:
    """Limits the calls under way at once: `each` for one account, `most` for all together.

    An account with no call under way may always begin one, unless the bulkhead is `strict`. So a hanging account
    leaves threads to others.
    """

    def __init__(self, *, each: int = 1000, most: int = 1000, strict: bool = False) -> None:
        self._each, self._most, self._strict = each, most, strict
        self._acquired: Counter[str] = Counter()
        self._ended_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    @property
    def acquired(self) -> int:
        """How many calls are under way."""
        return self._acquired.total()

    def resize(self, *, each: int, most: int) -> None:
        """Change the limits; calls under way go on."""
        with self._lock:
            self._each, self._most = each, most
            for waiting in self._waiting.values():
                waiting.changed.notify_all()

    def hanging(self) -> list[str]:
        """Return the accounts at their limit with no ended call for a while."""
        now = time.monotonic()
        with self._lock:
            return [account for account in self._acquired if not self._free(account) and self._hangs(account, now)]

    def acquire(self, account: str, *, patience: float) -> bool:
        """Begin a call; False if the limit is reached for `patience` seconds, or the running calls hang."""
        give_up = time.monotonic() + patience
        with self._lock:
            while not self._free(account):
                now = time.monotonic()
                if now >= give_up or self._hangs(account, now):
                    return False
                self._wait(account, give_up - now)
            if not self._acquired[account]:
                self._ended_at[account] = time.monotonic()
            self._acquired[account] += 1
            return True

    def release(self, account: str) -> None:
        """End a call."""
        with self._lock:
            self._acquired[account] -= 1
            self._ended_at[account] = time.monotonic()
            if not self._acquired[account]:
                del self._acquired[account]
            # Wake one thread per account; each checks whether it may begin. Waking all would be a stampede.
            for waiting in self._waiting.values():
                waiting.changed.notify()

    def _wait(self, account: str, seconds: float) -> None:
        waiting = self._waiting.setdefault(account, _Waiting(threading.Condition(self._lock)))
        waiting.count += 1
        try:
            waiting.changed.wait(seconds)
        finally:
            waiting.count -= 1
            if not waiting.count:
                del self._waiting[account]

    def _free(self, account: str) -> bool:
        own = self._acquired[account]
        if own == 0 and not self._strict:
            return True
        return own < self._each and self._acquired.total() < self._most

    def _hangs(self, account: str, now: float) -> bool:
        return now >= self._ended_at.get(account, now) + _STALLED
