"""The vendor clients of an account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from renderline.accounts.guard import Guard
from renderline.accounts.permit import Permit
from renderline.accounts.rate_limit import RateLimit
from renderline.accounts.token import SharedToken
from renderline.studio import StudioV2, StudioV3


class AccountUnavailable(LookupError):
    """This worker cannot act for the account; the message names what to configure."""


@dataclass(frozen=True)
class AccountClients:
    """The vendor clients of one account; an API without credentials is None.

    The `guard` is in the clients' transport, so it applies rate limit, backoff and circuit breaker to every call.
    """

    name: str
    v3: StudioV3 | None
    v2: StudioV2 | None
    guard: Guard | None = None
    token: SharedToken | None = None

    def use_v3(self) -> StudioV3:
        """Return the v3 client; raises `AccountUnavailable` without v3 credentials."""
        if self.v3 is None:
            raise AccountUnavailable(f"account {self.name!r} has no v3 credentials: set its app id and user key")
        return self.v3

    def use_v2(self) -> StudioV2:
        """Return the v2 client; raises `AccountUnavailable` without a v2 key."""
        if self.v2 is None:
            raise AccountUnavailable(f"account {self.name!r} has no v2 credentials: set its v2 secret key")
        return self.v2

    def prepare(self, api: Literal["v3", "v2"]) -> Permit:
        """Take a token and a turn, so that the first call under the returned permit leaves at once.

        This may wait for both. A v2 call needs no token. Raises a `StudioFault` if either is unavailable.
        """
        token = self.token.current() if self.token and api == "v3" else None
        if self._rate_limit:
            self._rate_limit.take()
        return Permit(token=token, turn=True)

    def permit_at_hand(self, api: Literal["v3", "v2"]) -> Permit | None:
        """Return the permit of `prepare` if that needs no waiting; otherwise None."""
        if self._rate_limit:
            return None
        token = self.token.at_hand if self.token and api == "v3" else None
        if self.token and api == "v3" and token is None:
            return None
        return Permit(token=token, turn=True)

    @property
    def _rate_limit(self) -> RateLimit | None:
        return self.guard.rate_limit if self.guard else None

    @property
    def circuit_open(self) -> bool:
        """Whether the account's circuit was open when this process last reported a call."""
        return self.guard is not None and self.guard.breaker.open

    def opened_since(self, since: float) -> bool:
        """Return whether this process saw the circuit open after `since` (monotonic)."""
        return self.guard is not None and self.guard.breaker.opened_since(since)


def known(accounts: Mapping[str, AccountClients]) -> tuple[str, ...]:
    """Return the accounts and APIs that this process has clients for, such as `main` and `v2:main`."""
    apis = [f"{api}:{name}" for name, one in accounts.items() for api in ("v3", "v2") if getattr(one, api) is not None]
    return (*accounts, *apis)
