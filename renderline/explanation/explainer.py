"""Explains renders of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renderline.explanation.sentence import Explanation, explain
from renderline.ledger import Ledger
from renderline.ledger.conditions import Conditions


@dataclass(frozen=True)
class Explainer:
    """Explains renders from their records and their condition now. `clock` replaces the server's in tests."""

    ledger: Ledger
    clock: Callable[[], float] | None = None

    def explain(self, records: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """Return the explanation of each record, in their order; raises `redis.RedisError`."""
        conditions = Conditions(self.ledger).of(records)
        return [
            explain(record, condition, now=self.clock() if self.clock else condition.at)
            for record, condition in zip(records, conditions, strict=True)
        ]
