"""The poll threads of each account: a bulkhead, so that a vendor that hangs holds no other account's threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_STALLED = 1.0
"""Seconds without an ended call after which the running calls count as hanging. Then no thread waits for them."""


class PollThreads:
    """The poll threads of one account, at most `limit`; started on demand."""

    def __init__(self, account: str, limit: int) -> None:
        self._limit, self._taken = limit, 0
        self._changed = threading.Condition()
        self._ended_at = time.monotonic()
        # One extra thread, for a project list that many renders need.
        self._pool = ThreadPoolExecutor(limit + 1, thread_name_prefix=f"poll-{account}")

    def reserve(self, wanted: int, *, patience: float) -> Reservation:
        """Take up to `wanted` free threads.

        Waits up to `patience` seconds for that many to be free, unless the busy ones hang.
        """
        wanted = min(wanted, self._limit)
        give_up = time.monotonic() + patience
        with self._changed:
            while self._limit - self._taken < wanted:
                now = time.monotonic()
                if now >= give_up or now >= self._ended_at + _STALLED:
                    break
                self._changed.wait(give_up - now)
            if self._taken == 0:
                self._ended_at = time.monotonic()
            given = min(wanted, self._limit - self._taken)
            self._taken += given
            return Reservation(self, given)

    def release(self, count: int = 1) -> None:
        """Release reserved threads."""
        with self._changed:
            self._taken -= count
            self._ended_at = time.monotonic()
            self._changed.notify_all()

    def start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a call in a thread of the pool."""
        return self._pool.submit(call, *args, **kwargs)

    def close(self) -> None:
        """Wait for the calls under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)


class Reservation:
    """Reserved threads for the calls that `run` starts. Unused ones are released at the end."""

    def __init__(self, threads: PollThreads, left: int) -> None:
        self._threads, self.left = threads, left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.keep(0)

    def keep(self, count: int) -> None:
        """Release all but `count` of the unused threads."""
        if self.left > count:
            self._threads.release(self.left - count)
            self.left = count

    def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call in one of them; the thread is released when the call ends."""

        def released() -> T:
            try:
                return call(*args, **kwargs)
            finally:
                self._threads.release()

        future = self._threads.start(released)
        self.left -= 1
        return future

    def run_beside(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a call for many renders in the extra thread."""
        return self._threads.start(call, *args, **kwargs)
