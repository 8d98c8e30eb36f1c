"""Bulkheads between accounts: how many vendor calls one account may have under way in this process.

A vendor that hangs then holds its own threads and nobody else's. Nothing waits in a queue behind what hangs.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_SUBMISSION_STALLED = 3.0
"""The same for submissions, which also wait for the ledger's disk."""


@dataclass
class _Waiting:
    """Those who wait for a place of one account."""

    changed: threading.Condition
    count: int = 0


class Bulkhead:
    """How many submissions each account may have under way at once in this process.

    `each` is the most for one account, `most` for all together; but one that has none may always begin, unless they are
    `strict`. So a hanging account leaves the threads that run submissions to others.
    """

    def __init__(self, *, each: int = 1000, most: int = 1000, strict: bool = False) -> None:
        self._each, self._most, self._strict = each, most, strict
        self._taken: Counter[str] = Counter()
        self._moved_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._waiting: dict[str, _Waiting] = {}

    @property
    def taken(self) -> int:
        """How many places are taken."""
        return self._taken.total()

    def resize(self, *, each: int, most: int) -> None:
        """Change how many there are; what is taken stays taken."""
        with self._lock:
            self._each, self._most = each, most
            for waiting in self._waiting.values():
                waiting.changed.notify_all()

    def hanging(self) -> list[str]:
        """Return the accounts that may begin no more, and of which nothing under way has ended for a while."""
        now = time.monotonic()
        with self._lock:
            return [account for account in self._taken if not self._free(account) and self._hangs(account, now)]

    def take(self, account: str, *, patience: float) -> bool:
        """Take a place; False if none gets free within `patience` seconds, or what has them hangs."""
        give_up = time.monotonic() + patience
        with self._lock:
            while not self._free(account):
                now = time.monotonic()
                if now >= give_up or self._hangs(account, now):
                    return False
                self._wait(account, give_up - now)
            if not self._taken[account]:
                self._moved_at[account] = time.monotonic()
            self._taken[account] += 1
            return True

    def give_back(self, account: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[account] -= 1
            self._moved_at[account] = time.monotonic()
            if not self._taken[account]:
                del self._taken[account]
            # One place for one of them: whose account it is for, they find out. All who wait would be a crowd.
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
        own = self._taken[account]
        if own == 0 and not self._strict:
            return True
        return own < self._each and self._taken.total() < self._most

    def _hangs(self, account: str, now: float) -> bool:
        return now >= self._moved_at.get(account, now) + _SUBMISSION_STALLED
