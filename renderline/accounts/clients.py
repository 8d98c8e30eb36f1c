"""What Renderline needs to act for one vendor account: its clients and what they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from renderline.accounts.guard import Guard
from renderline.accounts.rate_limit import RateLimit
from renderline.accounts.token import SharedToken
from renderline.studio import StudioV2, StudioV3


class AccountUnavailable(LookupError):
    """This worker cannot act for the account; the message names what to configure."""


@dataclass(frozen=True)
class AccountClients:
    """The vendor clients of one account; an API for which no credentials are configured is None."""

    name: str
    v3: StudioV3 | None
    v2: StudioV2 | None
    pace: RateLimit | None = None
    guard: Guard | None = None
    token: SharedToken | None = None

    @property
    def prepared(self) -> bool:
        """Whether `prepare` would have nothing to do."""
        return self.pace is None and (self.token is None or self.token.at_hand)

    def of(self, api: Literal["v3", "v2"]) -> AccountClients:
        """Return the clients for calls of one API: those of v2 need no token, and must not wait for one."""
        return self if api == "v3" else replace(self, token=None)

    def prepare(self) -> AccountClients:
        """Have a token at hand and a turn taken, which may take long, so that a call announced next leaves at once.

        Returns the clients for that one call. Raises a `StudioFault` if no token can be had, or no turn comes soon.
        """
        if self.token:
            self.token.current()
        if self.pace is None:
            return self
        self.pace.take()
        return replace(self, pace=None)

    def use_v3(self) -> StudioV3:
        """Return the v3 client for one call, when it is this account's turn to make one.

        Raises `AccountUnavailable` without v3 credentials; `RateLimitReached` if its turn does not come soon.
        """
        if self.v3 is None:
            raise AccountUnavailable(f"account {self.name!r} has no v3 credentials: set its app id and user key")
        if self.pace:
            self.pace.take()
        return self.v3

    def use_v2(self) -> StudioV2:
        """Return the v2 client for one call, when it is this account's turn to make one.

        Raises `AccountUnavailable` without a v2 key; `RateLimitReached` if its turn does not come soon.
        """
        if self.v2 is None:
            raise AccountUnavailable(f"account {self.name!r} has no v2 credentials: set its v2 secret key")
        if self.pace:
            self.pace.take()
        return self.v2

    @property
    def away(self) -> bool:
        """Whether the vendor was away, as far as this process has seen."""
        return self.guard is not None and self.guard.breaker.open

    def opened_since(self, moment: float) -> bool:
        """Return whether this process saw the circuit open after `moment` (monotonic)."""
        return self.guard is not None and self.guard.breaker.opened_since(moment)


def known(accounts: Mapping[str, AccountClients]) -> tuple[str, ...]:
    """Return what a process can act for: the accounts, and their APIs, such as `main` and `v2:main`."""
    apis = [f"{api}:{name}" for name, one in accounts.items() for api in ("v3", "v2") if getattr(one, api) is not None]
    return (*accounts, *apis)
