"""What every call for an account passes, whoever makes it: its outcome reaches circuit breaker and rate limit.

The vendor's clients tell the guard of each exchange themselves, so that no caller can forget to.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from redis import RedisError

from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.ledger import AccountLimits
from renderline.studio import CreditExhausted, RateLimited, StudioFault, TooLate

log = structlog.get_logger(__name__)

CREDIT_PROBE = 300.0
"""Seconds between tries while the vendor refuses an account for want of credit."""
UNSAID_WAIT = 2.0
"""Seconds of silence after a 429 that does not say for how long."""


@dataclass(frozen=True)
class Guard:
    """Watches over the calls of one account."""

    account: str
    flow: AccountLimits
    breaker: CircuitBreaker

    def saw(self, fault: StudioFault | None) -> None:
        """Take note of an exchange's outcome; None for one that the vendor answered as it should."""
        if isinstance(fault, TooLate):
            # Held up on our side: it says nothing about the vendor.
            return
        try:
            self._tell(fault)
        except RedisError as error:
            # The call's own outcome matters more: what it brought about must still be recorded.
            log.warning("call not accounted for", account=self.account, why=f"{type(error).__name__}: {error}")

    def quiet(self, seconds: float) -> None:
        """Make no calls for so long."""
        self.flow.wait(self.account, seconds=seconds)

    def _tell(self, fault: StudioFault | None) -> None:
        self.breaker.saw(fault)
        if isinstance(fault, RateLimited):
            wait = UNSAID_WAIT if fault.retry_after is None else fault.retry_after
            self.flow.slow_down(self.account, seconds=wait)
        if isinstance(fault, CreditExhausted) and self.flow.hold(self.account, reason=str(fault), seconds=CREDIT_PROBE):
            log.error("the vendor refuses the account, its submissions wait", account=self.account, fault=str(fault))
