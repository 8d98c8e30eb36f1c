"""Explains renders of the ledger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renderline.explanation.part import Explanation
from renderline.explanation.sentence import explain
from renderline.ledger import Ledger
from renderline.ledger.conditions import Conditions
from renderline.retry import HookRetryPolicy


@dataclass(frozen=True)
class Explainer:
    """Explains renders from their records and their condition now.

    `retries` says when hooks are given up; None: explanations do not say it. `clock` replaces the server's in tests.
    """

    ledger: Ledger
    retries: HookRetryPolicy | None = None
    clock: Callable[[], float] | None = None

    def explain(self, records: Sequence[Mapping[str, Any]]) -> list[Explanation]:
        """Return the explanation of each record, in their order; raises `redis.RedisError`."""
        conditions = Conditions(self.ledger).of(records)
        return [
            explain(record, condition, now=self.clock() if self.clock else condition.at, retries=self.retries)
            for record, condition in zip(records, conditions, strict=True)
        ]
