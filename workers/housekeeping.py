"""The thread in every worker that sweeps, lets parked renders go on, and keeps the claims of running hooks."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog
from redis import RedisError

from tasks.services import Services

log = structlog.get_logger(__name__)

_FREE_EVERY = 1.0


class Housekeeper(threading.Thread):
    """Sweeps every `sweep_every` seconds until stopped, and renews hook claims every third of `lease` until the end."""

    def __init__(self, services: Services, *, sweep_every: float, lease: float) -> None:
        super().__init__(name="housekeeper", daemon=True)
        self._services, self._sweep_every, self._renew_every = services, sweep_every, lease / 3
        self._stopped = threading.Event()
        self._tick = threading.Event()

    def run(self) -> None:
        """Work for as long as the process lives; a Redis that is away is reported and waited for."""
        sweep_at = free_at = renew_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= renew_at:
                self._guarded(self._services.deliverer.renew_all)
                renew_at = now + self._renew_every
            if now >= free_at and not self._stopped.is_set():
                self._guarded(self._services.dispatcher.freed)
                free_at = now + _FREE_EVERY
            if now >= sweep_at and not self._stopped.is_set():
                self._guarded(self._services.sweeper.sweep)
                # Uneven, so that not all workers ask for the sweep lock at the same moment for ever.
                sweep_at = now + self._sweep_every * random.uniform(0.9, 1.1)
            if self._stopped.is_set():
                free_at = sweep_at = renew_at
            self._tick.wait(max(0.05, min(renew_at, free_at, sweep_at) - time.monotonic()))

    def stop(self) -> None:
        """Sweep no more. Hooks that still run keep their claims."""
        self._stopped.set()

    @staticmethod
    def _guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except (RedisError, OSError) as error:
            log.warning("housekeeping waits for Redis", why=f"{type(error).__name__}: {error}")
        except Exception:
            log.exception("housekeeping failed, goes on")
