"""How fast an account may go (silence, outage, pace, slots): shared by all workers, enforced where work is claimed."""

from __future__ import annotations

from collections.abc import Mapping

from renderline.ledger.store import Ledger


class Flow:
    """Steps that hold an account's work back and let it go on."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def limit(self, slots: Mapping[str, int | None]) -> None:
        """Set how many renders each account may have at the vendor at once (None: any number)."""
        with self._ledger.redis.pipeline() as pipe:
            for account, count in slots.items():
                if count is None:
                    pipe.hdel(f"{self._ledger.prefix}limits", account)
                else:
                    pipe.hset(f"{self._ledger.prefix}limits", account, str(count))
            pipe.execute()

    def slow_down(self, account: str, *, seconds: float) -> None:
        """Take note of the vendor's "too many": no calls for `seconds`, and a lower pace from then on.

        The pace grows again by itself until it no longer matters (additive increase, multiplicative decrease).
        """
        self._ledger.run("slow_down", account, seconds)

    def outage(self, account: str, *, seconds: float) -> None:
        """Make no calls for `seconds`, and after that one at a time, until `recovered`."""
        self._ledger.run("outage", account, seconds)

    def recovered(self, account: str) -> None:
        """Let everything go on after an outage."""
        self._ledger.run("outage", account, "")

    def unpark(self, *, limit: int = 200) -> list[tuple[str, str]]:
        """Take up to `limit` parked renders of each account that may go on: (id, priority), the most urgent first."""
        return [(one, priority) for one, priority in self._ledger.run("unpark", limit)]
