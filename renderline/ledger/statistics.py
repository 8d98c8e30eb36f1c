"""Figures over all renders: how many in each state, how long the oldest is there, and what happened each minute."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from renderline.ledger.queries import Filter, Queries
from renderline.ledger.store import Ledger
from renderline.renders import State


@dataclass(frozen=True, order=True)
class Total:
    """How many renders are in one state, of one kind, account and tenant."""

    state: str
    kind: str
    account: str
    tenant: str
    count: int


class Minute(NamedTuple):
    """What happened in one minute."""

    at: float
    """Its begin, in epoch seconds."""
    accepted: int
    completed: int
    delivered: int
    failed: int
    """Failed or expired."""
    credits: float
    """What the renders that were completed have cost."""
    lag: float | None
    """Seconds from the vendor's report of the end to our notice of it, on average; None: not known of any render."""


class Statistics:
    """Reads the figures. Every method raises `redis.RedisError` if the server cannot be reached."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys

    def totals(self, tenant: str | None = None) -> list[Total]:
        """Return how many renders there are, of one tenant or (None) of all, only what is above 0."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        cursor = None
        while True:
            page, cursor = Queries(self._ledger).page(Filter(tenant=tenant), limit=1000, cursor=cursor)
            found.update((one["state"], one["kind"], one["account"], one["tenant"]) for one in page)
            if cursor is None:
                return [Total(*names, count) for names, count in sorted(found.items())]

    def oldest(self) -> dict[str, float]:
        """Return, by state, for how many seconds its oldest render has been in it; states without any are left out."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for state in State:
                pipe.zrange(self._keys.state(state), 0, 0, withscores=True)
            (seconds, micros), *oldest = pipe.execute()
        now = seconds + micros / 1e6
        return {
            state.value: max(0.0, now - float(rows[0][1])) for state, rows in zip(State, oldest, strict=True) if rows
        }

    def minutes(self, tenant: str | None = None, count: int = 60) -> list[Minute]:
        """Return the latest `count` minutes (at most 120), the oldest first; the last one is not over."""
        seconds, _ = self._redis.time()
        now = int(seconds) // 60
        return [Minute(60.0 * one, 0, 0, 0, 0, 0.0, None) for one in range(now - min(count, 120) + 1, now + 1)]
