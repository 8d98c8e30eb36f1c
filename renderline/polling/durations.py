"""How long renders have taken lately, by account and kind: what the poll schedule may count on before any progress."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from renderline.ledger import Ledger

_ENOUGH = 8
_TAIL = 0.1
_FRESH = 2.0


class TypicalDuration(NamedTuple):
    """Seconds: the quickest tenth took at most `quick`, the slowest tenth at least `slow`. None: unknown."""

    quick: float | None = None
    slow: float | None = None


UNKNOWN = TypicalDuration()


class Durations:
    """Reads the digest that the ledger keeps of the newest 64 renders; an answer is kept for two seconds.

    No longer, since the first renders to end are the quickest of those that were begun.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[tuple[str, str], tuple[float, TypicalDuration]] = {}

    def usual(self, account: str, kind: str) -> TypicalDuration:
        """Return how long the newest renders took; `UNKNOWN` while there were too few to tell."""
        now = time.monotonic()
        read_at, kept = self._kept.get((account, kind), (-_FRESH, UNKNOWN))
        if now - read_at < _FRESH:
            return kept
        rows: Any = self._ledger.redis.lrange(f"{self._ledger.prefix}durations:{account}:{kind}", 0, -1)
        found = _usual(sorted(float(row) for row in rows))
        self._kept[account, kind] = (now, found)
        return found


def _usual(seconds: list[float]) -> TypicalDuration:
    if len(seconds) < _ENOUGH:
        return UNKNOWN
    return TypicalDuration(seconds[int(len(seconds) * _TAIL)], seconds[int(len(seconds) * (1 - _TAIL))])
