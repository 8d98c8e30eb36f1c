"""Threads beside those that take messages, for work that is under way and has to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

log = structlog.get_logger(__name__)


class BackgroundThreads:
    """Runs work in threads of its own, `places` at once; a process that ends lets what has begun come to its end."""

    def __init__(self, places: int) -> None:
        self._free = threading.Semaphore(places)
        self._pool = ThreadPoolExecutor(places, thread_name_prefix="aside")

    def run(self, work: Callable[[], None]) -> bool:
        """Have work done; False if all threads are taken: then it is the caller's to do."""
        if not self._free.acquire(blocking=False):
            return False
        try:
            self._pool.submit(self._guarded, work)
        except RuntimeError:
            # The process ends, and takes no more.
            self._free.release()
            return False
        return True

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            # What it held has a lease in the ledger.
            log.exception("work aside failed")
        finally:
            self._free.release()
