"""The rate limit of each API key, counted in Redis, so that all gateways share it."""

from __future__ import annotations

import math
import time

import limits
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis import Redis

from renderline.gateway.problem import Problem

_PREFIX = "renderline:rate"


class ApiRateLimit:
    """Counts calls by key against `rate`, such as `600/minute` or `10/second;600/minute`; None: no limit."""

    def __init__(self, redis: Redis, rate: str | None) -> None:
        self._rates = limits.parse_many(rate) if rate else []
        # The storage takes its connections from the pool; the address is not used.
        storage = RedisStorage("redis://", connection_pool=redis.connection_pool, key_prefix=_PREFIX)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def count(self, key_id: str, calls: int = 1) -> None:
        """Count calls; raises a 429 problem with `Retry-After` if they are over the limit."""
        for rate in self._rates:
            if calls and not self._limiter.hit(rate, key_id, cost=calls):
                wait = self._limiter.get_window_stats(rate, key_id).reset_time - time.time()
                headers = {"Retry-After": str(max(1, math.ceil(wait)))}
                detail = f"More than {rate} calls with this API key."
                if calls > 1:
                    detail += f" A batch counts as its requests, {calls + 1} here; a smaller one may pass."
                raise Problem(429, detail, headers=headers)
