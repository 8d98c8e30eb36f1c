"""The threads in every worker that keep the claims of running hooks, sweep, and let parked renders go on."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

import structlog
from redis import RedisError

from renderline.capabilities import ANNOUNCE_EVERY
from renderline.ledger.clock import SKEWED, note_skew
from tasks.services import Services

log = structlog.get_logger(__name__)

_FREE_EVERY = 1.0
_CLOCK_EVERY = 30.0


class Chore(threading.Thread):
    """Does one thing every so many seconds until stopped; a Redis that is away is reported and waited for.

    `uneven`: not all workers do it at the same moment for ever.
    """

    def __init__(self, name: str, work: Callable[[], object], *, every: float, uneven: bool = False) -> None:
        super().__init__(name=name, daemon=True)
        self._work, self._every, self._spread = work, every, 0.1 if uneven else 0.0
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work for as long as the process lives, or until stopped."""
        at = time.monotonic()
        while not self._stopped.wait(max(0.0, at - time.monotonic())):
            at = time.monotonic() + self._every * random.uniform(1 - self._spread, 1 + self._spread)
            self._guarded()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped.set()

    def _guarded(self) -> None:
        try:
            self._work()
        except (RedisError, OSError) as error:
            log.warning("housekeeping waits for Redis", chore=self.name, why=f"{type(error).__name__}: {error}")
        except Exception:
            log.exception("housekeeping failed, goes on", chore=self.name)


class Housekeeper:
    """Sweeps every `sweep_every` seconds until stopped, and renews hook claims every third of `lease` until the end.

    Each chore has a thread of its own. Nothing else may stand in that of the renewals: a claim that lapses costs a
    second delivery. Calls to vendors are made in none of them.
    """

    def __init__(self, services: Services, *, sweep_every: float, lease: float, name: str = "") -> None:
        self._renewals = Chore("renewals", services.deliverer.renewal.renew_all, every=lease / 3)
        self._others = [
            Chore("capabilities", services.capabilities.announce, every=ANNOUNCE_EVERY),
            Chore("parked", services.dispatcher.unpark, every=_FREE_EVERY),
            Chore("hooks", services.deliverer.send_waiting, every=_FREE_EVERY),
            Chore("sweep", services.sweeper.sweep, every=sweep_every, uneven=True),
            Chore("cleanup", services.cleanup.start, every=sweep_every, uneven=True),
            Chore("clock", lambda: _tell_skew(services, name), every=_CLOCK_EVERY),
        ]

    def start(self) -> None:
        """Begin."""
        for chore in (self._renewals, *self._others):
            chore.start()

    def stop(self) -> None:
        """Sweep no more. Hooks that still run keep their claims."""
        for chore in self._others:
            chore.stop()


def _tell_skew(services: Services, name: str) -> None:
    skew = services.clock.skew()
    if abs(skew) > SKEWED:
        log.warning("this machine's clock differs from the Redis server's", ahead_by=round(skew, 1))
        ledger = services.ledger
        note_skew(ledger.redis, name, skew, prefix=ledger.prefix, seconds=3 * _CLOCK_EVERY)
