"""Bulkheads between accounts: how many vendor calls one account may have under way in this process.

A vendor that hangs then holds its own threads and nobody else's. Nothing waits in a queue behind what hangs.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STALLED = 1.0
"""Seconds without a call ending after which what is under way is taken to hang: then nobody waits for it."""


class PollThreads:
    """The poll threads of one account; started as they are needed, `places` at most."""

    def __init__(self, account: str, places: int) -> None:
        self._places, self._taken = places, 0
        self._changed = threading.Condition()
        self._moved_at = time.monotonic()
        # One more thread than places, for a project list that is read for many renders.
        self._pool = ThreadPoolExecutor(places + 1, thread_name_prefix=f"poll-{account}")

    def reserve(self, wanted: int, *, patience: float) -> Reservation:
        """Take up to `wanted` free threads.

        Waits up to `patience` seconds for as many as are wanted, unless those that are taken hang.
        """
        wanted = min(wanted, self._places)
        give_up = time.monotonic() + patience
        with self._changed:
            while self._places - self._taken < wanted:
                now = time.monotonic()
                if now >= give_up or now >= self._moved_at + _STALLED:
                    break
                self._changed.wait(give_up - now)
            if self._taken == 0:
                self._moved_at = time.monotonic()
            given = min(wanted, self._places - self._taken)
            self._taken += given
            return Reservation(self, given)

    def release(self, count: int = 1) -> None:
        """Give reserved threads back."""
        with self._changed:
            self._taken -= count
            self._moved_at = time.monotonic()
            self._changed.notify_all()

    def start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a thread: a reserved one, or the one beside them."""
        return self._pool.submit(call, *args, **kwargs)

    def close(self) -> None:
        """Wait for the calls under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Reservation:
    """Threads that were free, for those calls alone that `run` starts; the rest is given back at its end."""

    def __init__(self, threads: PollThreads, left: int) -> None:
        self._threads, self.left = threads, left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep(0)

    def keep(self, count: int) -> None:
        """Give back all but `count` of the threads that are left."""
        if self.left > count:
            self._threads.release(self.left - count)
            self.left = count

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call in one of them, which its end gives back."""

        def released() -> T:
            try:
                return call(*args, **kwargs)
            finally:
                self._threads.release()

        future = self._threads.start(released)
        self.left -= 1
        return future

    def run_beside(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call that serves all of them, in a thread beside them."""
        return self._threads.start(call, *args, **kwargs)


_SUBMISSION_STALLED = 3.0
"""The same for submissions, which also wait for the ledger's disk."""


@dataclass
class _Waiting:
    """Those who wait for a place of one account."""

    changed: threading.Condition
    count: int = 0


class SubmissionPlaces:
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
