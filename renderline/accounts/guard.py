"""The guard of an account: every vendor call passes it.

Before a call it checks backoff and circuit breaker and waits for a turn of the rate limit. After it, it records the
outcome. It is part of the transport of the account's clients, so no caller can leave it out.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from redis import RedisError

from renderline.accounts.circuit_breaker import CircuitBreaker
from renderline.accounts.permit import current_permit
from renderline.accounts.rate_limit import RateLimit
from renderline.ledger import AccountLimits
from renderline.observer import NOBODY, OK, Call, Observer, current_purpose
from renderline.studio import (
    CreditExhausted,
    Exchanged,
    RateLimited,
    StudioFault,
    TooLate,
    UploadUnreadable,
    VendorUnavailable,
)

log = structlog.get_logger(__name__)

_V3_ROOT = "/api/odin/v3"
"""What all paths of the v3 API begin with. Nobody needs to read it in every line."""
CREDIT_PROBE = 300.0
"""Seconds between submissions while the vendor refuses an account for lack of credit."""
DEFAULT_BACKOFF = 2.0
"""Seconds of backoff after a 429 without `Retry-After`."""


class InBackoff(RateLimited):
    """Not sent: the vendor asked this account to wait. Repeat after `retry_after` seconds."""


class CircuitOpen(VendorUnavailable):
    """Not sent: the circuit of this account is open. Repeat after `retry_after` seconds."""


@dataclass(frozen=True)
class Guard:
    """Implements the vendor clients' `CallGuard` for one account."""

    account: str
    limits: AccountLimits
    breaker: CircuitBreaker
    rate_limit: RateLimit | None = None
    observer: Observer = NOBODY

    def before(self) -> None:
        """Wait for the call's turn; raises a `StudioFault` if it must not be made now."""
        permit = current_permit()
        if permit is None:
            self._check_backoff()
        if self.rate_limit and not (permit and permit.use_turn()):
            self.rate_limit.take()

    def record(self, fault: StudioFault | None) -> None:
        """Record a call's fault; None for a success."""
        if isinstance(fault, TooLate | UploadUnreadable):
            # This worker was too slow, or its storage failed: that says nothing about the vendor.
            return
        try:
            self._record(fault)
        except RedisError as error:
            # The fault of the call matters more: its caller must still record that.
            log.warning("call outcome not recorded", account=self.account, error=f"{type(error).__name__}: {error}")

    def observe(self, exchanged: Exchanged) -> None:
        """Tell the observer of a call, and for which render it was made."""
        fault, purpose = exchanged.fault, current_purpose()
        code = (fault.code or type(fault).__name__) if fault else ""
        self.observer.call(
            Call(
                account=self.account,
                endpoint=str(exchanged.endpoint).replace(_V3_ROOT, "", 1),
                status=exchanged.status,
                code=code,
                seconds=exchanged.seconds,
                began=exchanged.began,
                render_id=purpose.render_id,
                attempt=purpose.attempt,
                polling=purpose.polling,
                # The message is redacted: without tokens, and without texts of the request.
                result=" ".join(filter(None, (fault.code, fault.message or code))) if fault else OK,
            )
        )

    def back_off(self, seconds: float) -> None:
        """Make no calls for this account for so long, in any worker."""
        self.limits.back_off(self.account, seconds=seconds)

    def _check_backoff(self) -> None:
        found = self.limits.backoff(self.account)
        if found.circuit_open:
            raise CircuitOpen(
                "not sent: the vendor does not answer this account (circuit open)", retry_after=max(1.0, found.seconds)
            )
        if found.seconds > 0:
            raise InBackoff("not sent: the vendor asked this account to wait", retry_after=found.seconds)

    def _record(self, fault: StudioFault | None) -> None:
        self.breaker.record(fault)
        if isinstance(fault, RateLimited):
            wait = DEFAULT_BACKOFF if fault.retry_after is None else fault.retry_after
            self.limits.slow_down(self.account, seconds=wait)
        if isinstance(fault, CreditExhausted) and self.limits.hold(
            self.account, reason=str(fault), seconds=CREDIT_PROBE
        ):
            log.error("vendor refuses the account, its submissions wait", account=self.account, fault=str(fault))
