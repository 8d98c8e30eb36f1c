"""The limits of an account: backoff, circuit, rate limit, slots. All workers share them; claims check them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from renderline.ledger.store import Ledger
from renderline.ledger.submission import UNKNOWN_AFTER


class Circuit(NamedTuple):
    """The state of an account's circuit breaker after a call."""

    open: bool
    probe_in: float
    """Seconds until a call may probe the vendor; 0 while it is closed."""
    changed: bool
    """Whether this call opened or closed it."""
    failures: int = 0
    """Unanswered calls in a row, up to this one."""
    seconds: float = 0.0
    """If this call closed it: for how long it was open."""


class Backoff(NamedTuple):
    """How long an account's calls have to wait."""

    seconds: float
    circuit_open: bool


class AccountLimits:
    """Steps that hold an account's work back and let it go on."""

    def __init__(self, ledger: Ledger, *, known: Sequence[str] = (), unknown_after: float = UNKNOWN_AFTER) -> None:
        """`known` are this process' accounts and APIs (`main`, `v2:main`). Only their renders go on; none: all."""
        self._ledger, self._known, self._unknown_after = ledger, known, unknown_after

    def set_slots(self, slots: Mapping[str, int | None]) -> None:
        """Set how many renders each account may have at the vendor at once (None: no limit)."""
        with self._ledger.redis.pipeline() as pipe:
            for account, count in slots.items():
                if count is None:
                    pipe.hdel(self._ledger.keys.slot_limits, account)
                else:
                    pipe.hset(self._ledger.keys.slot_limits, account, str(count))
            pipe.execute()

    def slow_down(self, account: str, *, seconds: float) -> None:
        """Record a 429: no calls for `seconds`, and a lower rate limit afterwards.

        The rate limit grows back by itself until it no longer matters (additive increase, multiplicative decrease).
        """
        self._ledger.run("slow_down", account, seconds)

    def back_off(self, account: str, *, seconds: float) -> None:
        """Make no calls for `seconds`; the rate limit does not change."""
        self._ledger.run("back_off", account, seconds)

    def backoff(self, account: str) -> Backoff:
        """Return how long calls have to wait. Calls for work that the ledger handed out need not ask."""
        seconds, circuit_open = self._ledger.run("backoff_left", account)
        return Backoff(float(seconds), circuit_open == 1)

    def hold(self, account: str, *, reason: str, seconds: float) -> bool:
        """Record that the vendor refuses to render for an account; returns whether that is new.

        Its submissions are parked, apart from one every `seconds`. The first accepted one, or an operator's `resume`,
        unparks all. Renders at the vendor are still polled.
        """
        return bool(self._ledger.run("hold_account", account, seconds, reason))

    def call_failed(self, account: str, *, failures: int, pause: float) -> Circuit:
        """Record an unanswered call in the circuit breaker.

        `failures` in a row open it: no calls for `pause` seconds, then one probe at a time until one is answered.
        """
        return self._circuit(account, "failed", failures, pause)

    def call_answered(self, account: str) -> Circuit:
        """Record an answered call in the circuit breaker; an answered probe closes it."""
        return self._circuit(account, "answered", 0, 0)

    def _circuit(self, account: str, outcome: str, failures: int, pause: float) -> Circuit:
        state, left, changed, failed, *took = self._ledger.run("circuit", account, outcome, failures, pause)
        return Circuit(state == "open", float(left), changed == "1", int(failed), float(took[0]) if took else 0.0)

    def unpark(self, *, limit: int = 200) -> list[tuple[str, str]]:
        """Take up to `limit` parked renders of each account that may go on: (id, priority), the most urgent first."""
        known, after = ",".join(self._known), self._unknown_after
        return [(one, priority) for one, priority in self._ledger.run("unpark", limit, known, after)]
