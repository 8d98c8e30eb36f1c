"""How far many renders are: their states, how fast they end, and when the last one will have ended."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

from renderline.renders import FINAL, State

Record = Mapping[str, Any]

_GOOD = "delivered"
_FAILED = frozenset({State.FAILED, State.EXPIRED, State.UNDELIVERED})

_WINDOW = 120.0
"""Seconds over which the rates are measured."""

_EVERY = 0.5
"""Seconds between two measurements at least."""

_SURE_AFTER = 3.0
"""Seconds of measurements without which a rate says nothing."""


class Tally:
    """Counts `total` renders. Times are seconds of any one clock; `now` is when it begins to count."""

    def __init__(self, total: int, *, now: float) -> None:
        self.total, self.began = total, now
        self.counts: Counter[str] = Counter()
        self._seen: dict[str, tuple[str, float]] = {}
        self._moving: dict[str, Record] = {}
        self._failed: dict[str, Record] = {}
        self._work = 0.0
        self._samples: deque[tuple[float, float, int]] = deque()

    @property
    def ended(self) -> int:
        """Return how many renders have ended."""
        return sum(count for state, count in self.counts.items() if state in FINAL)

    def update(self, records: Iterable[Record], *, now: float) -> None:
        """Take in the present records of some of the renders."""
        for record in records:
            one, state = record["id"], record["state"]
            done = 1.0 if state in FINAL else min(float(record["progress"]), 99.0) / 100
            before = self._seen.get(one)
            if before == (state, done):
                continue
            if before is not None:
                self.counts[before[0]] -= 1
                self._work -= before[1]
            self.counts[state] += 1
            self._work += done
            self._seen[one] = (state, done)
            self._place(one, record, state)
        if self._samples and now - self._samples[-1][0] < _EVERY:
            return
        self._samples.append((now, self._work, self.ended))
        while now - self._samples[0][0] > _WINDOW:
            self._samples.popleft()

    def _place(self, one: str, record: Record, state: str) -> None:
        # The last one of each is the newest: dictionaries keep the order of insertion.
        self._moving.pop(one, None)
        self._failed.pop(one, None)
        if state in _FAILED:
            self._failed[one] = record
        elif state not in FINAL and state != State.ACCEPTED:
            self._moving[one] = record

    def per_minute(self, *, now: float) -> float | None:
        """Return how many renders end per minute at present; None if it is too early to say."""
        if not self._samples or now - self._samples[0][0] < _SURE_AFTER:
            return None
        since, _, ended = self._samples[0]
        return max(0.0, (self.ended - ended) / (now - since) * 60)

    def left(self, *, now: float) -> float | None:
        """Return in how many seconds the last render will have ended, at the present rate; None if nobody can say.

        The progress of renders counts too, so that there is an answer before the first one has ended.
        """
        if not self._samples or now - self._samples[0][0] < _SURE_AFTER:
            return None
        since, work, _ = self._samples[0]
        rate = (self._work - work) / (now - since)
        return max(0.0, self.total - self._work) / rate if rate > 1e-9 else None

    def moving(self, limit: int) -> list[Record]:
        """Return those that the vendor or a hook works on, up to `limit`: the one that moved last comes first."""
        return _newest(self._moving, limit)

    def failures(self, limit: int | None = None) -> list[Record]:
        """Return those that failed, expired or were not delivered, newest first."""
        return _newest(self._failed, limit)

    def by_state(self) -> str:
        """Return how many renders are in each state, in the order in which a render goes through them."""
        return ", ".join(f"{self.counts[state]} {state}" for state in State if self.counts[state])


def _newest(records: dict[str, Record], limit: int | None) -> list[Record]:
    found: list[Record] = []
    for record in reversed(records.values()):
        if limit is not None and len(found) >= limit:
            break
        found.append(record)
    return found
