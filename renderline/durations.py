"""How long renders have taken lately, by account and kind: what the poll schedule may count on before any progress."""

from __future__ import annotations

import time
from typing import Any

from renderline.ledger import Ledger

_ENOUGH = 8
_QUICK = 0.1
_FRESH = 30.0


class Durations:
    """Reads the digest that the ledger keeps of the newest 64 renders; an answer is kept for half a minute."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: dict[tuple[str, str], tuple[float, float | None]] = {}

    def typical(self, account: str, kind: str) -> float | None:
        """Return how many seconds the quickest tenth of the newest renders took at most, None if there were too few."""
        now = time.monotonic()
        kept = self._kept.get((account, kind))
        if kept and now - kept[0] < _FRESH:
            return kept[1]
        rows: Any = self._ledger.redis.lrange(f"{self._ledger.prefix}durations:{account}:{kind}", 0, -1)
        seconds = sorted(float(row) for row in rows)
        found = seconds[int(len(seconds) * _QUICK)] if len(seconds) >= _ENOUGH else None
        self._kept[account, kind] = (now, found)
        return found
