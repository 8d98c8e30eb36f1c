"""How the places for hooks of a process are divided between tenants."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal


class TenantShare:
    """Gives out `places`. A tenant may hold no more of them than it leaves free, but always one.

    So there is a free place for a newcomer, however many places one tenant's hanging endpoints hold. While there is
    only one tenant (`alone`), it may hold all.
    """

    def __init__(self, places: int, *, alone: bool = True) -> None:
        self.places, self.alone = places, alone
        self._held: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        """How many places nobody holds."""
        return max(0, self.places - self._held.total())

    @property
    def busy(self) -> list[str]:
        """The tenants that may have no further place now."""
        with self._lock:
            return sorted(tenant for tenant in self._held if self._answer(tenant) == "busy")

    def acquire(self, tenant: str) -> Literal["acquired", "full", "busy"]:
        """Take a place. `full`: none is free. `busy`: this tenant holds as many as it may."""
        with self._lock:
            answer = self._answer(tenant)
            if answer == "acquired":
                self._held[tenant] += 1
            return answer

    def release(self, tenant: str) -> None:
        """Return a place."""
        with self._lock:
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]

    def _answer(self, tenant: str) -> Literal["acquired", "full", "busy"]:
        own, free = self._held.get(tenant, 0), self.free
        if free == 0:
            return "full"
        return "acquired" if self.alone or own == 0 or own < free else "busy"
