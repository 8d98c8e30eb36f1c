"""Background threads for paid calls that wait for the ledger's disk, beside the threads that take messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import structlog

log = structlog.get_logger(__name__)


class BackgroundThreads:
    """Runs up to `limit` calls at once. A process that ends waits for those that have begun."""

    def __init__(self, limit: int) -> None:
        self._free = threading.Semaphore(limit)
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="background")

    def run(self, work: Callable[[], None]) -> bool:
        """Run `work` in a background thread; False if all are busy or the process ends: then the caller runs it."""
        if not self._free.acquire(blocking=False):
            return False
        try:
            self._pool.submit(copy_context().run, self._guarded, work)
        except RuntimeError:
            # The process ends, and the pool accepts nothing more.
            self._free.release()
            return False
        return True

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            # The lease in the ledger ends, and another worker takes over.
            log.exception("background work failed")
        finally:
            self._free.release()
