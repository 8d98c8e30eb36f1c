"""How many calls each API key may make: counted in Redis, so that all gateways together keep to one limit."""

from __future__ import annotations

import math
import time

import limits
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis

from renderline.gateway.problem import Problem

_PREFIX = "renderline:rate"


class Rates:
    """Counts calls by key against `rate`, such as `600/minute` or `10/second;600/minute`; None: no limit."""

    def __init__(self, redis: Redis, rate: str | None) -> None:
        self._rates = limits.parse_many(rate) if rate else []
        # The address is not used: the connections are those of the pool.
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=_PREFIX)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def count(self, key_id: str) -> None:
        """Count one call; raises a 429 problem, with the seconds to wait, if that is one too many."""
        for rate in self._rates:
            if not self._limiter.hit(rate, key_id):
                wait = self._limiter.get_window_stats(rate, key_id).reset_time - time.time()
                seconds = max(1, math.ceil(wait))
                raise Problem(429, f"More than {rate} calls with this key.", headers={"Retry-After": str(seconds)})
