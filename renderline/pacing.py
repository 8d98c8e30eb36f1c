"""A known limit of requests a second, kept by all workers of an account together."""

from __future__ import annotations

import math
import time
from typing import Any

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from renderline.ledger.failover import connection_class
from renderline.studio import VendorUnavailable

PATIENCE = 2.0
"""Seconds for which a call waits for its turn before it is put off: well below any lease."""


class Paced(VendorUnavailable):
    """Not sent: this account's calls of the present window are used up. Repeat after `retry_after` seconds."""


def window(per_second: float) -> RateLimitItem:
    """Return the window that allows `per_second` calls a second on average; below 1, one call in several seconds."""
    if per_second >= 1:
        return RateLimitItemPerSecond(math.floor(per_second))
    return RateLimitItemPerSecond(1, math.ceil(1 / per_second))


def _storage(url: str) -> RedisStorage:
    connections: Any = {
        "connection_class": connection_class(url),
        "socket_timeout": 10,
        "socket_connect_timeout": 5,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=3),
    }
    return RedisStorage(url, key_prefix="renderline:pace", **connections)


class Pace:
    """Hands out the turns of one account. A moving window: in no second do more calls start than allowed."""

    def __init__(self, redis_url: str, account: str, per_second: float) -> None:
        self._window, self._account = window(per_second), account
        self._limiter = MovingWindowRateLimiter(_storage(redis_url))

    def take(self) -> None:
        """Wait for a turn; raises `Paced` if none comes within `PATIENCE`."""
        give_up = time.monotonic() + PATIENCE
        while not self._limiter.hit(self._window, self._account):
            reset = self._limiter.get_window_stats(self._window, self._account).reset_time
            wait = min(max(0.02, reset - time.time()), self._window.get_expiry())
            if time.monotonic() + wait > give_up:
                raise Paced("the account's limit of requests a second is used up", retry_after=wait)
            time.sleep(wait)
