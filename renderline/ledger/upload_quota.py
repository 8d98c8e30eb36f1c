"""How many bytes a tenant may upload in a day."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from renderline.ledger.quota import QuotaExceeded
from renderline.ledger.store import Ledger

_DAY = 86_400


class UploadQuota:
    """Counts the bytes that each tenant uploads in a day (UTC); `most` is the limit of each."""

    def __init__(self, ledger: Ledger, most: int, *, clock: Callable[[], float] = time.time) -> None:
        self._redis, self._keys = ledger.redis, ledger.keys
        self._most, self._clock = most, clock

    @contextmanager
    def using(self, tenant: str, count: int) -> Iterator[None]:
        """Count an upload of `count` bytes; one that fails is not counted. Raises QuotaExceeded."""
        now = self._clock()
        key = self._keys.uploaded_bytes(tenant, int(now // _DAY))
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.incrby(key, count)
            pipe.expire(key, 2 * _DAY)
            used: int = pipe.execute()[0]
        if used > self._most:
            self._redis.decrby(key, count)
            raise QuotaExceeded(
                f"tenant {tenant} may upload {self._most:,} bytes in a day (UTC), {used - count:,} are used; "
                f"this file has {count:,}",
                retry_after=None if count > self._most else _DAY - now % _DAY,
            )
        try:
            yield
        except BaseException:
            self._redis.decrby(key, count)
            raise
