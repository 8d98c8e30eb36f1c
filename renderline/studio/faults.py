"""Faults of vendor calls, each named for what the caller must do next.

fault                     what to do
------------------------- -------------------------------------------------------------------------------------------
StudioFault               (the root; never raised itself)
|- VendorUnavailable      *retry* with backoff: nothing was sent, or the call changes nothing and may be repeated
|  |- TooLate             the same: this worker was too slow, so the call was not sent
|  `- UploadUnreadable    the same: the file to upload could not be read to its end, so the call was not sent as a whole
|- RateLimited            *wait* `retry_after` seconds (choose, if None), then repeat: the call was not processed
|- TokenRejected          *wait*, then repeat: the client already fetched a newer token and repeated once; alert an
|                         operator if it lasts
|- CredentialsRefused     *give up*: app id and user key (v2: the secret key) are wrong; only a person can help
|- CreditExhausted        *hold the account*: it has no credit; the call was not processed, only a person can help
|- PayloadRefused         *give up*: the vendor refused the call; keep its code and message
|  `- ProjectMissing      *give up*: there is no such project (any more)
`- OutcomeUnknown         *settle by reading*, never by repeating: the call may have taken effect, perhaps at a cost

Only calls that create, change, export or delete raise `OutcomeUnknown`; all others raise `VendorUnavailable`
instead. No fault carries a token, a key, spoken text or the request that caused it.
"""

from typing import TypeVar

F = TypeVar("F", bound="StudioFault")


class StudioFault(Exception):
    """A call to the vendor failed.

    `endpoint` is method and path template (no ids); `status` the HTTP status, None if no answer was read; `code` the
    vendor's own code as text; `message` the vendor's message or ours, short and free of secrets; `retry_after` the
    seconds the vendor asked to wait, None if it did not.
    """

    def __init__(
        self,
        message: str = "",
        *,
        endpoint: str = "",
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.endpoint = endpoint
        self.status = status
        self.code = code
        self.retry_after = retry_after

    def __str__(self) -> str:
        """Endpoint, status, vendor code and message in one line."""
        status = f"HTTP {self.status}" if self.status is not None else ""
        code = f"[{self.code}]" if self.code is not None else ""
        where = " ".join(part for part in (self.endpoint, status, code) if part)
        return ": ".join(part for part in (where, self.message) if part)

    def recast(self, kind: type[F]) -> F:
        """Return the same details as another fault, for a caller that knows better what they mean."""
        return kind(
            self.message,
            endpoint=self.endpoint,
            status=self.status,
            code=self.code,
            retry_after=self.retry_after,
        )


class VendorUnavailable(StudioFault):
    """Retry: the call was certainly not processed, or it changes nothing and may be repeated."""


class TooLate(VendorUnavailable):
    """Retry: the call was not sent, because its time was up."""


class UploadUnreadable(VendorUnavailable):
    """Retry: the file to upload could not be read to its end, so the vendor never had the whole call."""


class RateLimited(StudioFault):
    """Wait: the vendor rate-limits the account; it did not process this call."""


class TokenRejected(StudioFault):
    """The token is refused, and so was the one fetched after it."""


class CredentialsRefused(StudioFault):
    """Give up: the vendor does not accept the account's credentials."""


class CreditExhausted(StudioFault):
    """Hold the account: the vendor does not render for it until somebody pays; it did not process this call."""


class PayloadRefused(StudioFault):
    """Give up: the vendor refused the call."""


class ProjectMissing(PayloadRefused):
    """Give up: the vendor knows no such project."""


class OutcomeUnknown(StudioFault):
    """Settle by reading: the call may have taken effect, but its outcome is unknown."""
