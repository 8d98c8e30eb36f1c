"""The sweep: sends stalled renders again, expires overdue ones, starts missing pumps, drops old records.

With it no accepted render is lost: the broker may lose any message, and the sweep finds the render in the ledger. It
calls no vendor; `renderline/cleanup/runner.py` does.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from redis import RedisError

from renderline.dispatcher import Dispatcher
from renderline.ledger import AccountLimits, Ledger, LedgerInDoubt, Outage, log_failed
from renderline.renders import State

log = structlog.get_logger(__name__)

_TRUST = Outage("trust in the ledger")


class Watcher(Protocol):
    """Learns what sweeps do."""

    def resent(self, state: str, count: int = 1) -> None:
        """Count renders in a state whose messages are sent again."""

    def swept(self, *, whole: bool) -> None:
        """Count a sweep that ended; `whole`: it went through all its parts."""


@dataclass(frozen=True)
class Sweeper:
    """Sweeps in one worker at a time. A lock in the ledger decides which; the others skip.

    A sweep ends when nothing is left to do. It does a little of each part in turn, so that a backlog of one part does
    not hold up the others. Its dispatcher raises if it cannot publish: otherwise the sweep would mark unsent renders as
    sent.
    """

    ledger: Ledger
    limits: AccountLimits
    dispatcher: Dispatcher
    every: float
    """Seconds between sweeps."""
    retention: float
    """Seconds for which the records of ended renders are kept."""
    turn: float = 60.0
    """Seconds after which a worker that stopped in the middle of a sweep loses the lock."""
    watcher: Watcher | None = None
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex, repr=False)

    def sweep(self) -> bool:
        """Sweep, unless a worker sweeps or has swept within this period; returns whether it swept."""
        if not self._has_turn():
            return False
        whole = False
        try:
            whole = self._sweep()
        finally:
            self.ledger.end_sweep(self._holder, whole=whole)
            if self.watcher:
                self.watcher.swept(whole=whole)
        return True

    def _has_turn(self) -> bool:
        try:
            turn = self.ledger.sweep_turn(self._holder, seconds=self.turn, every=self.every)
        except LedgerInDoubt as doubt:
            _TRUST.failed("sweep", str(doubt))
            return False
        _TRUST.worked("sweep")
        return turn

    def _sweep(self) -> bool:
        parts = [self._resend(), self._expire(), self._pump(), self._unpark(), self._forget()]
        failure: Exception | None = None
        while parts:
            for part in list(parts):
                try:
                    if next(part, _DONE) is _DONE:
                        parts.remove(part)
                except (RedisError, OSError):
                    raise
                except Exception as error:
                    # The other parts go on.
                    parts.remove(part)
                    failure = error
            if not self._has_turn():
                log.warning("sweep lock lost, another worker sweeps")
                return False
        if failure:
            raise failure
        return True

    def _resend(self) -> Iterator[None]:
        oldest = self.dispatcher.oldest()
        while found := self.ledger.stalled(oldest=oldest):
            for render_id, state, _ in found:
                log.warning("stalled, sent again", render_id=render_id, state=state)
                if self.watcher:
                    self.watcher.resent(state)
            self.dispatcher.submit_all([(one, priority) for one, state, priority in found if state in _SUBMITTED_AGAIN])
            self.dispatcher.hooks_all([one for one, state, _ in found if state not in _SUBMITTED_AGAIN])
            yield

    def _expire(self) -> Iterator[None]:
        while True:
            expired, wakes = self.ledger.overdue()
            self.dispatcher.hooks_all(expired)
            log_failed(self.ledger, expired)
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
                log.info("old records dropped", records=dropped)
            yield


_DONE = object()
_SUBMITTED_AGAIN = frozenset({State.ACCEPTED, State.SUBMITTING})
