"""Figures over all renders: how many in each state, how long the oldest is there, and what happened each minute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from renderline.ledger.clock import epoch_seconds
from renderline.ledger.store import Ledger
from renderline.renders import State
from renderline.tenants import DEFAULT

MOST_MINUTES: Final = 119
"""A minute is kept for two hours."""
_TENANTS_AT_ONCE: Final = 100


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
    """Accepted, or started anew by a retry."""
    completed: int
    delivered: int
    failed: int
    """Failed or expired."""
    credits: float
    """What the renders that were completed have cost, where the vendor has said so by then."""
    lag: float | None
    """Seconds from the vendor's webhook that reported the end to our notice of it, on average; None: there was none."""


class Statistics:
    """Reads the figures, which the ledger's scripts keep. Every method raises `redis.RedisError`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys

    def totals(self, tenant: str | None = None) -> list[Total]:
        """Return how many renders there are, of one tenant or (None) of all; only what is above 0, in order."""
        shown = str(self._redis.hget(self._keys.statistics, "shown") or "0")
        tenants = [tenant] if tenant else [DEFAULT, *sorted(self._ledger.tenants())]
        found: list[Total] = []
        for start in range(0, len(tenants), _TENANTS_AT_ONCE):
            some = tenants[start : start + _TENANTS_AT_ONCE]
            with self._redis.pipeline(transaction=False) as pipe:
                for one in some:
                    pipe.hgetall(self._keys.totals(shown, one))
                for one, counts in zip(some, pipe.execute(), strict=True):
                    found += _totals(one, counts)
        return sorted(found)

    def oldest(self) -> dict[str, float]:
        """Return, by state, for how many seconds its oldest render has been in it; states without any are left out."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for state in State:
                pipe.zrange(self._keys.state(state), 0, 0, withscores=True)
            answer, *oldest = pipe.execute()
        now = epoch_seconds(answer)
        return {
            state.value: max(0.0, now - float(rows[0][1])) for state, rows in zip(State, oldest, strict=True) if rows
        }

    def minutes(self, tenant: str | None = None, count: int = 60) -> list[Minute]:
        """Return the latest `count` minutes (at most 119), the oldest first; the last one is not over.

        `tenant` limits them to one tenant.
        """
        newest = int(epoch_seconds(self._redis.time())) // 60
        numbers = range(newest - min(count, MOST_MINUTES) + 1, newest + 1)
        with self._redis.pipeline(transaction=False) as pipe:
            for number in numbers:
                key = self._keys.minute(number)
                pipe.hgetall(key if tenant in (None, DEFAULT) else f"{key}@{tenant}")
            hashes: list[Any] = pipe.execute()
        prefixes = ("", _OTHERS) if tenant is None else ("",)
        return [_minute(number, found, prefixes) for number, found in zip(numbers, hashes, strict=True)]


_OTHERS: Final = "others:"
"""Before the fields that count what happened for other tenants than the default one."""


def _totals(tenant: str, counts: Mapping[str, str]) -> Iterator[Total]:
    for name, count in counts.items():
        state, kind, account = name.split("|", 2)
        # An older version may have forgotten what was counted here: `renderline reindex` counts anew.
        if int(count) > 0:
            yield Total(state, kind, account, tenant, int(count))


def _minute(number: int, found: Mapping[str, str], prefixes: Sequence[str]) -> Minute:
    def sum_of(name: str) -> float:
        return sum(float(found.get(prefix + name, 0)) for prefix in prefixes)

    lags = sum_of("lags")
    counts = {name: round(sum_of(name)) for name in ("accepted", "completed", "delivered", "failed")}
    lag = round(sum_of("lag") / lags, 3) if lags else None
    return Minute(60.0 * number, **counts, credits=round(sum_of("credits"), 6), lag=lag)
