"""The circuit breaker of an account, shared by all workers through Redis.

While it is open the ledger hands out no work of that account; after each pause one call at a time probes. So an outage
costs the vendor a call now and then, from all workers together, and accepted work waits for its end.
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
_TELL_EVERY = 1.0


class CircuitBreaker:
    """Tells the ledger which calls of one account were answered, and remembers when this process saw it open."""

    def __init__(self, flow: AccountLimits, account: str, *, failures: int = FAILURES, pause: float = PAUSE) -> None:
        self._flow, self._account, self._failures, self._pause = flow, account, failures, pause
        self._told_at = 0.0
        self._failing = False
        self._opened_at: float | None = None

    @property
    def open(self) -> bool:
        """Whether it was open when this process last told of a call."""
        return self._opened_at is not None

    def opened_since(self, moment: float) -> bool:
        """Return whether this process saw it open after `moment` (monotonic): what was claimed before must not call."""
        opened_at = self._opened_at
        return opened_at is not None and opened_at >= moment

    def saw(self, fault: StudioFault | None) -> None:
        """Take note of a call's outcome: `fault` is None for one that the vendor answered as it should."""
        if is_absence(fault):
            self._failing = True
            circuit = self._flow.call_failed(self._account, failures=self._failures, pause=self._pause)
            if circuit.changed:
                log.error("the vendor is away", account=self._account, probe_in=self._pause)
            if circuit.open:
                self._opened_at = time.monotonic()
        elif self._failing or time.monotonic() - self._told_at > _TELL_EVERY:
            # An answer resets the count of failures. Once a second is often enough while all is well.
            self._told_at = time.monotonic()
            circuit = self._flow.call_answered(self._account)
            self._failing = circuit.open
            if circuit.changed:
                log.info("the vendor is back", account=self._account)
            if not circuit.open:
                self._opened_at = None


def is_absence(fault: StudioFault | None) -> bool:
    """Return whether nobody answered, or somebody else than the vendor's application did.

    Any answer of the vendor itself, even a refusal, shows that it is there.
    """
    if not isinstance(fault, VendorUnavailable | OutcomeUnknown):
        return False
    return fault.status is None or fault.status >= 400
