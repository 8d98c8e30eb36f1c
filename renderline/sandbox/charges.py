"""What was started and what was charged, by account, by sort and by call."""

from collections import Counter
from typing import Any

EXPORT = "export"
GENERATION = "generation"
DUBBING = "dubbing"
AUDIO = "audio"

SORTS = (EXPORT, GENERATION, DUBBING, AUDIO)
"""What costs credits: a render, a generated project, one language of a dubbing, a speech audio."""

MAX_NOTED = 50_000

Key = tuple[str, str, str]
"""Account, sort, and the call that started it."""


class Charges:
    """All charges of one sandbox."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all charges."""
        self._started: Counter[Key] = Counter()
        self._charged: Counter[Key] = Counter()
        self._credits: Counter[Key] = Counter()
        self._noted: list[dict[str, Any]] = []

    def start(self, key: Key) -> None:
        """Count something that will cost credits when it is done."""
        self._started[key] += 1

    def charge(self, key: Key, cost: int) -> None:
        """Count credits for something that was started."""
        self._charged[key] += 1
        self._credits[key] += cost

    def note(self, key: Key, *, project: str, subject: str, cost: int, at: float) -> None:
        """Count something that costs credits at once, and keep what it was about, so that a repeated one shows."""
        self.start(key)
        self.charge(key, cost)
        if len(self._noted) < MAX_NOTED:
            account, sort, call = key
            where = {"account": account, "sort": sort, "call": call, "project": project}
            self._noted.append({**where, "subject": subject[:300], "credits": cost, "at": at})

    def as_json(self, account: str | None = None) -> dict[str, Any]:
        """Figures over all accounts or of one: in total, per account and per call, and what was noted."""
        keys = [key for key in self._started if account in (None, key[0])]
        return {
            **self._figures(keys),
            "accounts": self._by(0, keys),
            "calls": self._by(2, keys),
            "noted": [entry for entry in self._noted if account in (None, entry["account"])],
        }

    def _by(self, place: int, keys: list[Key]) -> dict[str, Any]:
        names = sorted({key[place] for key in keys})
        return {name: self._figures([key for key in keys if key[place] == name]) for name in names}

    def _figures(self, keys: list[Key]) -> dict[str, dict[str, int]]:
        counters = {"started": self._started, "charged": self._charged, "credits": self._credits}
        return {
            name: {sort: sum(counter[key] for key in keys if key[1] == sort) for sort in SORTS}
            for name, counter in counters.items()
        }
