"""The sweep: re-sends what stands still, expires what is overdue, starts pumps that nobody runs, drops old records.

It, not the broker, is why nothing accepted is lost: any message may vanish and this finds the render again. It asks the
ledger alone; vendor calls are cleanup tasks (`renderline/cleanup/runner.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog
from redis import RedisError

from renderline.dispatcher import Dispatcher
from renderline.ledger import AccountLimits, Ledger

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Sweeper:
    """Runs one sweep at a time over all workers: who gets the turn sweeps, the others skip.

    A sweep goes on until nothing is left to do, a little of everything in turn, so that much of one does not hold up
    the others. `every` is the time between sweeps, `retention` how long finished records are kept, `turn` the time
    after which a worker that no longer goes on loses its turn (seconds).
    """

    ledger: Ledger
    limits: AccountLimits
    dispatcher: Dispatcher
    every: float
    retention: float
    turn: float = 60.0
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)

    def sweep(self) -> bool:
        """Sweep if no other worker has within this period; returns whether it did."""
        if not self._has_turn():
            return False
        try:
            self._sweep()
        finally:
            self.ledger.end_sweep(self._holder)
        return True

    def _has_turn(self) -> bool:
        return self.ledger.sweep_turn(self._holder, seconds=self.turn, every=self.every)

    def _sweep(self) -> None:
        parts = [self._resend(), self._expire(), self._pump(), self._unpark(), self._forget()]
        broken: Exception | None = None
        while parts:
            for part in list(parts):
                try:
                    if next(part, _DONE) is _DONE:
                        parts.remove(part)
                except (RedisError, OSError):
                    raise
                except Exception as error:
                    # What one part stumbles over must not keep the others from their work.
                    parts.remove(part)
                    broken = error
            if not self._has_turn():
                log.warning("lost the turn to sweep, another worker goes on")
                return
        if broken:
            raise broken

    def _resend(self) -> Iterator[None]:
        oldest = self.dispatcher.oldest()
        while found := self.ledger.stalled(oldest=oldest):
            for render_id, state, _ in found:
                log.warning("re-sent: stood still", render_id=render_id, state=state)
            begun = ("accepted", "submitting")
            self.dispatcher.submit_all([(one, priority) for one, state, priority in found if state in begun])
            self.dispatcher.hooks_all([one for one, state, _ in found if state not in begun])
            yield

    def _expire(self) -> Iterator[None]:
        while True:
            expired, wakes = self.ledger.overdue()
            for render_id in expired:
                log.warning("expired", render_id=render_id)
            self.dispatcher.hooks_all(expired)
            for wake in wakes:
                self.dispatcher.poll(wake)
            if not expired and not wakes:
                return
            yield

    def _pump(self) -> Iterator[None]:
        for wake in self.ledger.restart_pumps():
            self.dispatcher.poll(wake)
            yield

    def _unpark(self) -> Iterator[None]:
        self.dispatcher.submit_all(self.limits.unpark())
        yield

    def _forget(self) -> Iterator[None]:
        for dropped in self.ledger.forget_in_batches(retention=self.retention):
            if dropped:
                log.info("finished records dropped", records=dropped)
            yield


_DONE = object()
