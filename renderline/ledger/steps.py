"""What every part of the ledger is built on: the connection, the names of the keys, and the atomic steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from redis import Redis

from renderline.ledger.keys import PREFIX, Keys
from renderline.ledger.record import UNREADABLE
from renderline.ledger.script import Scripts
from renderline.observer import NOBODY, Observer

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Steps:
    """Base of the parts of `Ledger`. Their methods raise `redis.RedisError` if the server cannot be reached."""

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = PREFIX,
        grace: float = 30.0,
        clock: Callable[[], float] | None = None,
        observer: Observer = NOBODY,
    ) -> None:
        self.redis, self.prefix, self.keys = redis, prefix, Keys(prefix)
        self.observer = observer
        self.seen = ""
        """Until when this process knows that the ledger was alive, as the ledger says it: it never goes back."""
        self.run = Scripts(redis, prefix=prefix, grace=grace, clock=clock, observer=observer).run

    def quarantine(self, render_id: str, account: str, *, reason: str) -> None:
        """Take an unreadable record out of every schedule and note it in the quarantine."""
        log.error("record quarantined", render_id=render_id, account=account, reason=reason)
        self.run("quarantine", render_id, account, reason)

    def readable(self, render_id: str, account: str, read: Callable[[], T]) -> T | None:
        """Return what `read` makes of a record. If it cannot be read, quarantine it and return None."""
        try:
            return read()
        except UNREADABLE as error:
            self.quarantine(render_id, account, reason=f"{type(error).__name__}: {error}")
            return None
