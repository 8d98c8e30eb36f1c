"""The rate limit of an account: at most so many requests a second, over all workers."""

from __future__ import annotations

import math
import time

from redis import Redis

from renderline.ledger import Keys
from renderline.studio import VendorUnavailable

LONGEST_WAIT = 2.0
"""The most seconds that a call waits for its turn; far less than any lease."""


class RateLimitReached(VendorUnavailable):
    """Not sent: this account's calls of the present window are used up. Repeat after `retry_after` seconds."""


# KEYS: turns. ARGV: calls, seconds -> milliseconds to wait, 0 if this call has its turn
_TAKE = """
local t = redis.call('TIME')
local now, window = t[1] * 1000 + math.floor(t[2] / 1000), ARGV[2] * 1000
local oldest = tonumber(redis.call('LINDEX', KEYS[1], ARGV[1] - 1))
if oldest and oldest + window > now then return oldest + window - now end
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, ARGV[1] - 1)
redis.call('PEXPIRE', KEYS[1], window)
return 0
"""


def window(per_second: float) -> tuple[int, int]:
    """Return (calls, seconds): `per_second` calls a second on average; below 1, one call in several seconds."""
    if per_second >= 1:
        return math.floor(per_second), 1
    return 1, math.ceil(1 / per_second)


class RateLimit:
    """Hands out the turns of one account, in a sliding window: no second has more calls than allowed.

    It uses the Redis server's clock, so a worker with a wrong clock does not exceed the limit.
    """

    def __init__(self, redis: Redis, account: str, per_second: float) -> None:
        self._window, self._key = window(per_second), Keys().recent_calls(account)
        self._take = redis.register_script(_TAKE)

    def take(self) -> None:
        """Wait for a turn; raises `RateLimitReached` if none comes within `LONGEST_WAIT`."""
        give_up = time.monotonic() + LONGEST_WAIT
        while wait := int(self._take(keys=[self._key], args=list(self._window))) / 1000:
            if time.monotonic() + wait > give_up:
                raise RateLimitReached("the account's limit of requests a second is used up", retry_after=wait)
            time.sleep(wait)
