"""The sweep: re-sends what stands still, expires what is overdue, starts pumps that nobody runs, drops old records.

It, not the broker, is why nothing accepted is lost: any message may vanish and this finds the render again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis import Redis

from renderline.ledger import Flow, Kick, Ledger
from renderline.orphans import OrphanHunt

log = structlog.get_logger(__name__)


class Dispatcher(Protocol):
    """Publishes the messages that move renders on."""

    def submit(self, render_id: str, priority: str) -> None:
        """Have the render submitted."""

    def submit_all(self, renders: Sequence[tuple[str, str]]) -> None:
        """Have many renders, (id, priority), submitted."""

    def poll(self, kick: Kick) -> None:
        """Have a pump run."""

    def hooks(self, render_id: str) -> None:
        """Have the hooks of a finished render run, in order."""


@dataclass(frozen=True)
class Sweeper:
    """Runs one sweep at a time over all workers: who gets the lock sweeps, the others skip.

    `every` is the time between sweeps, `retention` how long finished records are kept (seconds).
    """

    ledger: Ledger
    flow: Flow
    orphans: OrphanHunt
    redis: Redis
    dispatcher: Dispatcher
    every: float
    retention: float
    lock_seconds: float = 60.0

    def sweep(self) -> bool:
        """Sweep if no other worker has within this period; returns whether it did."""
        key = f"{self.ledger.prefix}sweep"
        if not self.redis.set(key, "1", nx=True, px=int(self.every * 900)):
            return False
        lock = self.redis.lock(f"{key}:lock", timeout=self.lock_seconds)
        if not lock.acquire(blocking=False):
            return False
        try:
            self._sweep()
        finally:
            if lock.owned():
                lock.release()
        return True

    def _sweep(self) -> None:
        for render_id, state, priority in self.ledger.silent():
            log.warning("re-sent: stood still", render_id=render_id, state=state)
            if state in ("accepted", "submitting"):
                self.dispatcher.submit(render_id, priority)
            else:
                self.dispatcher.hooks(render_id)
        expired, kicks = self.ledger.overdue()
        self._announce(expired)
        for kick in [*kicks, *self.ledger.pumps()]:
            self.dispatcher.poll(kick)
        for render_id, priority in self.flow.unpark():
            self.dispatcher.submit(render_id, priority)
        self.orphans.run()
        dropped = self.ledger.forget(retention=self.retention)
        if dropped:
            log.info("finished records dropped", records=dropped)

    def _announce(self, expired: Sequence[str]) -> None:
        for render_id in expired:
            log.warning("expired", render_id=render_id)
            self.dispatcher.hooks(render_id)
