"""Bulkheads between accounts: how many vendor calls one account may have under way in this process.

A vendor that hangs then holds its own threads and nobody else's. Nothing waits in a queue behind what hangs.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
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
