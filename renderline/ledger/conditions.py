"""The condition of renders: what their records do not show of queue, account and hooks, read in few round trips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renderline.ledger.store import Ledger


@dataclass(frozen=True)
class Condition:
    """What a render waits for, beside its record. Times are epoch seconds."""

    at: float = 0.0
    """When it was read, by the clock of the Redis server."""
    ahead: int | None = None
    """Renders of its owner that wait before it; None: it does not wait in the ledger."""
    paused: bool = False


class Conditions:
    """Reads the conditions of renders from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def of(self, records: Sequence[Mapping[str, Any]]) -> list[Condition]:
        """Return the condition of each record, in their order."""
        seconds, micros = self._ledger.redis.time()
        return [Condition(at=seconds + micros / 1e6) for _ in records]
