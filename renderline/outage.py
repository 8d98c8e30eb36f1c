"""Noticing that the vendor is away: a circuit breaker per account, shared by all workers through Redis.

While it is open the ledger hands out no work of that account; afterwards one call at a time probes. So an outage costs
a call now and then, from all workers together, and accepted work waits for its end.
"""

from __future__ import annotations

import contextlib
import time

import structlog
from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError, CircuitRedisStorage
from redis import Redis

from renderline.ledger import Flow
from renderline.pacing import Paced
from renderline.studio import OutcomeUnknown, StudioFault, VendorUnavailable

log = structlog.get_logger(__name__)

FAILURES = 5
"""Failed calls in a row, over all workers, that make an outage."""
PAUSE = 10.0
"""Seconds between probes during an outage."""
_TELL_EVERY = 1.0


class Outage:
    """The breaker of one account. `redis` must not decode responses: pybreaker reads bytes."""

    def __init__(
        self, redis: Redis, flow: Flow, account: str, *, failures: int = FAILURES, pause: float = PAUSE
    ) -> None:
        self._flow, self._account, self._pause = flow, account, pause
        storage = CircuitRedisStorage(STATE_CLOSED, redis, namespace=f"renderline:{account}")
        self._breaker = CircuitBreaker(fail_max=failures, reset_timeout=pause, state_storage=storage)
        self._told_at = 0.0
        self._failing = False

    def saw(self, fault: StudioFault | None) -> None:
        """Take note of a call's outcome: `fault` is None for one that the vendor answered as it should."""
        if isinstance(fault, Paced):
            return
        if self._is_sign(fault):
            self._failed()
        elif self._failing or time.monotonic() - self._told_at > _TELL_EVERY:
            # An answer resets the count of failures. Once a second is often enough while all is well.
            self._answered()

    @staticmethod
    def _is_sign(fault: StudioFault | None) -> bool:
        # Nobody answered, or a server error: away. Any other answer, even a refusal, shows that the vendor is there.
        if not isinstance(fault, VendorUnavailable | OutcomeUnknown):
            return False
        return fault.status is None or fault.status >= 500

    def _failed(self) -> None:
        self._failing = True
        with contextlib.suppress(CircuitBreakerError, VendorUnavailable):
            self._breaker.call(_fail)
        if self._breaker.current_state == STATE_OPEN:
            log.error("the vendor is away", account=self._account, probe_in=self._pause)
            # pybreaker keeps whole seconds: one more, or the probe would come while it is still open.
            self._flow.outage(self._account, seconds=self._pause + 1)

    def _answered(self) -> None:
        self._told_at = time.monotonic()
        self._failing = False
        was = self._breaker.current_state
        with contextlib.suppress(CircuitBreakerError):
            self._breaker.call(_succeed)
        if was != STATE_CLOSED and self._breaker.current_state == STATE_CLOSED:
            log.info("the vendor is back", account=self._account)
            self._flow.recovered(self._account)


def _fail() -> None:
    raise VendorUnavailable


def _succeed() -> None:
    return None
