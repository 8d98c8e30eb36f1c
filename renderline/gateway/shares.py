"""What a tenant may do at the same time in one gateway process, so that others have threads and memory too."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from renderline.gateway.problem import Problem

ACTIVE: Final = 60.0
"""Seconds for which a tenant counts as one of several after its last call."""

_SOON: Final = {"Retry-After": "1"}

Tenant = str | None
"""A tenant's name; None for callers that act for all."""


class CallShares:
    """A tenant has at most half of the `threads` while another tenant is active, else all. `clock` is seconds."""

    def __init__(self, threads: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = max(1, threads // 2)
        self._clock = clock
        self._lock = threading.Lock()
        self._running: Counter[Tenant] = Counter()
        self._active: dict[Tenant, float] = {}

    @contextmanager
    def hold(self, tenant: Tenant) -> Iterator[None]:
        """Count a call while it runs; raises a 429 problem if the tenant has its share already."""
        with self._lock:
            now = self._clock()
            self._active[tenant] = now
            shared = any(now - at < ACTIVE for other, at in self._active.items() if other != tenant)
            if shared and self._running[tenant] >= self._share:
                detail = f"{self._share} calls of this tenant run at this gateway already, half of all that it can run."
                raise Problem(429, detail, headers=_SOON)
            self._running[tenant] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[tenant] -= 1


class BatchShares:
    """At most `most` batches, with `most_bytes` together, are worked on at once, and half of both for one tenant.

    `what` is the word for them in problems.
    """

    def __init__(self, most: int, most_bytes: int, *, what: str = "batches") -> None:
        self._most, self._most_bytes, self._what = most, most_bytes, what
        self._lock = threading.Lock()
        self._held: dict[Tenant, list[int]] = {}

    @contextmanager
    def hold(self, tenant: Tenant, size: int) -> Iterator[None]:
        """Count a batch of `size` bytes while it is worked on.

        Raises a 503 problem if the gateway has enough of them, and a 429 problem if the tenant has. One always fits.
        """
        with self._lock:
            own, every = self._held.setdefault(tenant, []), [each for held in self._held.values() for each in held]
            if every and (len(every) >= self._most or sum(every) + size > self._most_bytes):
                raise Problem(503, f"The gateway works on as many {self._what} as it can.", headers=_SOON)
            if own and (len(own) >= max(1, self._most // 2) or sum(own) + size > self._most_bytes // 2):
                raise Problem(429, f"The gateway works on other {self._what} of this tenant.", headers=_SOON)
            own.append(size)
        try:
            yield
        finally:
            with self._lock:
                own.remove(size)
