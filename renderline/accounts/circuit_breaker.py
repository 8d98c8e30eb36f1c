"""The circuit breaker of an account, shared by all workers through Redis.

While it is open the ledger hands out no work of the account; after each pause it hands out one piece of work as a
probe. So during an outage all workers together make one call now and then, and accepted work waits.
"""

from __future__ import annotations

import time

import structlog

from renderline.ledger import AccountLimits
from renderline.studio import OutcomeUnknown, StudioFault, VendorUnavailable

log = structlog.get_logger(__name__)

FAILURES = 5
"""Failed calls in a row, over all workers, that open the circuit."""
PAUSE = 10.0
"""Seconds between probes while it is open."""
_REPORT_EVERY = 1.0


class CircuitBreaker:
    """Reports to the ledger which calls of one account failed, and remembers when this process saw it open."""

    def __init__(self, limits: AccountLimits, account: str, *, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._limits, self._account, self._failures, self._pause = limits, account, failures, pause
        self._reported_at = 0.0
        self._failing = False
        self._opened_at: float | None = None

    @property
    def open(self) -> bool:
        """Whether it was open when this process last reported a call."""
        return self._opened_at is not None

    def opened_since(self, since: float) -> bool:
        """Return whether this process saw it open after `since` (monotonic): work claimed before must not call."""
        opened_at = self._opened_at
        return opened_at is not None and opened_at >= since

    def record(self, fault: StudioFault | None) -> None:
        """Record a call's fault; None for a success."""
        if is_outage(fault):
            self._failing = True
            circuit = self._limits.call_failed(self._account, failures=self._failures, pause=self._pause)
            if circuit.changed:
                about = {"probe_in": self._pause, "fault": str(fault)}
                log.warning("circuit opened: the vendor does not answer", account=self._account, **about)
            if circuit.open:
                self._opened_at = time.monotonic()
        elif self._failing or time.monotonic() - self._reported_at > _REPORT_EVERY:
            # An answer resets the count of failures. Without failures, one report a second is enough.
            self._reported_at = time.monotonic()
            circuit = self._limits.call_answered(self._account)
            self._failing = circuit.open
            if circuit.changed:
                seconds = round(circuit.seconds, 1)
                log.warning("circuit closed: the vendor answers again", account=self._account, seconds=seconds)
            if not circuit.open:
                self._opened_at = None


def is_outage(fault: StudioFault | None) -> bool:
    """Return whether nobody answered, or a proxy did. Any answer of the vendor itself, even a refusal, shows that it is
    up.
    """
    if not isinstance(fault, VendorUnavailable | OutcomeUnknown):
        return False
    return fault.status is None or fault.status >= 400
