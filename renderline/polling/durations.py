"""Recent durations of renders, by account and kind. The poll policy uses them while a render shows no progress."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from renderline.ledger import Ledger

_MIN_RENDERS = 8
_TAIL = 0.1
_CACHED_FOR = 2.0


class TypicalDuration(NamedTuple):
    """Seconds: the quickest tenth took at most `quick`, the slowest tenth at least `slow`. None: unknown."""

    quick: float | None = None
    slow: float | None = None


UNKNOWN = TypicalDuration()


class Durations:
    """Reads the durations of the newest 64 renders from the ledger and caches them for two seconds.

    A longer cache would mislead: the quickest renders of a load end first.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[tuple[str, str], tuple[float, TypicalDuration]] = {}

    def typical(self, account: str, kind: str, *, stage: str = "") -> TypicalDuration:
        """Return how long the newest renders took, or a stage of them; `UNKNOWN` while there are fewer than eight."""
        kind = f"{kind}.{stage}" if stage else kind
        now = time.monotonic()
        read_at, kept = self._kept.get((account, kind), (-_CACHED_FOR, UNKNOWN))
        if now - read_at < _CACHED_FOR:
            return kept
        rows: Any = self._ledger.redis.lrange(self._ledger.keys.durations(account, kind), 0, -1)
        found = _typical(sorted(float(row) for row in rows))
        self._kept[account, kind] = (now, found)
        return found


def _typical(seconds: list[float]) -> TypicalDuration:
    if len(seconds) < _MIN_RENDERS:
        return UNKNOWN
    return TypicalDuration(seconds[int(len(seconds) * _TAIL)], seconds[int(len(seconds) * (1 - _TAIL))])
