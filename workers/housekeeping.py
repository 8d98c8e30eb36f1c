"""The periodic chores of every worker, and the threads that do them.

These have a thread of their own: the renewal of hook claims, because an expired claim causes a second delivery; the
sweep, because a backlog keeps it busy; old uploads and forgotten files, because their storage may be slow; the canary,
which must not wait for another chore. The others are short and share a thread. None of them calls a vendor.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from redis import RedisError

from renderline.capabilities import ANNOUNCE_EVERY
from renderline.cleanup.forgotten import EVERY as FORGOTTEN_EVERY
from renderline.ledger import Outage
from renderline.ledger.clock import SKEWED, note_skew
from renderline.ledger.quarantine import Quarantine
from workers.later_messages import EVERY, LaterMessages
from workers.repairs.canary import Canary

if TYPE_CHECKING:
    from tasks.services import Services

log = structlog.get_logger(__name__)

_UNPARK_EVERY = 1.0
_LISTS_EVERY = 0.5
_CLOCK_EVERY = 30.0
_JITTER = 0.1


_REDIS = Outage("Redis: housekeeping waits for it")


@dataclass(frozen=True)
class Chore:
    """A chore with its interval in seconds."""

    name: str
    work: Callable[[], object]
    every: float

    jitter: float = 0.0
    """Share by which each interval varies, so that workers do not stay in step."""

    def interval(self) -> float:
        """Return the seconds until it is due again."""
        return self.every * random.uniform(1 - self.jitter, 1 + self.jitter)

    def run(self) -> None:
        """Do it once. Errors are logged, an outage of Redis once; the next run repeats it."""
        try:
            self.work()
        except (RedisError, OSError) as error:
            _REDIS.failed(self.name, f"{type(error).__name__}: {error}")
        except Exception:
            log.exception("housekeeping failed, goes on", chore=self.name)
        else:
            _REDIS.worked(self.name)


class ChoreThread(threading.Thread):
    """Runs some chores one after the other, each when it is due, until stopped."""

    def __init__(self, name: str, *chores: Chore) -> None:
        super().__init__(name=name, daemon=True)
        self._chores = chores
        self._stopped = threading.Event()

    def run(self) -> None:
        """Work for as long as the process lives, or until stopped."""
        due = dict.fromkeys(self._chores, time.monotonic())
        while due:
            chore = min(due, key=lambda one: due[one])
            if self._stopped.wait(max(0.0, due[chore] - time.monotonic())):
                return
            due[chore] = time.monotonic() + chore.interval()
            chore.run()

    def stop(self) -> None:
        """Begin no further chore."""
        self._stopped.set()


class Housekeeper:
    """Does the chores of one worker.

    It sweeps every `sweep_every` seconds until stopped, and renews hook claims every third of `lease` until the
    process ends.
    """

    def __init__(
        self,
        services: Services,
        *,
        sweep_every: float,
        lease: float,
        name: str = "",
        canary: Canary | None = None,
        heartbeat: Callable[[], None] | None = None,
    ) -> None:
        consuming = canary.consuming if canary else tuple
        self._renewals = ChoreThread(
            "renewals", Chore("renewals", services.deliverer.renewal.renew_all, every=lease / 3)
        )
        self._sweep = ChoreThread("sweep", Chore("sweep", services.sweeper.sweep, every=sweep_every, jitter=_JITTER))
        ledger = services.ledger
        later = LaterMessages(Quarantine(ledger.redis, prefix=ledger.prefix, on_action=lambda *_: None))
        # The list of a storage may take long.
        uploads = services.old_uploads
        self._uploads = ChoreThread(
            "uploads", *([Chore("old uploads", uploads.run, every=uploads.every, jitter=_JITTER)] if uploads else [])
        )
        checks = [Chore("canary", canary.check, every=canary.interval)] if canary else []
        if canary and heartbeat:
            # In the same thread: it beats only while the checks go on.
            checks.append(Chore("heartbeat", heartbeat, every=canary.interval))
        self._canary = ChoreThread("canary", *checks)
        forgotten = services.forgotten_files
        self._forgotten = ChoreThread(
            "forgotten", *([Chore("forgotten files", forgotten.run, every=FORGOTTEN_EVERY)] if forgotten else [])
        )
        self._short = ChoreThread(
            "chores",
            Chore("capabilities", lambda: services.capabilities.announce(consuming(), name=name), every=ANNOUNCE_EVERY),
            Chore("unpark", services.dispatcher.unpark, every=_UNPARK_EVERY),
            Chore("waiting hooks", services.deliverer.send_waiting, every=_UNPARK_EVERY),
            Chore("later messages", later.take_up, every=EVERY),
            Chore("cleanup", services.cleanup.start, every=sweep_every, jitter=_JITTER),
            Chore("catalogue", services.catalogue.start, every=_LISTS_EVERY),
            Chore("clock", lambda: _report_skew(services, name), every=_CLOCK_EVERY),
        )

    def start(self) -> None:
        """Start the threads."""
        for thread in (self._renewals, self._sweep, self._short, self._uploads, self._forgotten, self._canary):
            thread.start()

    def stop(self) -> None:
        """Begin no further chore but the renewals: hooks that still run keep their claims."""
        self._sweep.stop()
        self._uploads.stop()
        self._forgotten.stop()
        self._canary.stop()
        self._short.stop()


def _report_skew(services: Services, name: str) -> None:
    skew = services.clock.skew()
    if abs(skew) > SKEWED:
        log.warning("this machine's clock differs from the Redis server's", ahead_by=round(skew, 1))
        ledger = services.ledger
        note_skew(ledger.redis, name, skew, prefix=ledger.prefix, seconds=3 * _CLOCK_EVERY)
