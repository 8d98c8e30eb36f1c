"""The sources of tokens: the interface for the clients, and the vendor's endpoint that issues them."""

import re
from typing import Protocol

from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import CredentialsRefused, PayloadRefused, TokenRejected, VendorUnavailable
from renderline.studio.response import LONGEST_WAIT
from renderline.studio.transport import CallGuard, Transport

# Characters that fit in a header. The layers below would split, refuse or quote any others.
_SENDABLE = re.compile(r"[!-~]{1,8192}")

ISSUE = Endpoint("POST", "/api/odin/v3/auth/token")


def sendable(secret: object) -> bool:
    """Return whether `secret` is a text that fits in an `Authorization` header."""
    return isinstance(secret, str) and _SENDABLE.fullmatch(secret) is not None


class TokenSource(Protocol):
    """Supplies the token that all workers of an account share."""

    def current(self) -> str:
        """Return the token to use now."""

    def reject(self, token: str) -> None:
        """Report that the vendor refused `token`; `current` must not return it again unless it was issued anew."""


class TokenEndpoint:
    """Exchanges an account's credentials for a token (AI Studios v3 contract, authentication)."""

    def __init__(
        self,
        base_url: str,
        *,
        app_id: str,
        user_key: str,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        total_timeout: float = 60.0,
        guard: CallGuard | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """Raise ValueError for a base URL that is more or less than scheme and host."""
        self._body = {"appId": app_id, "userKey": user_key}
        self._transport = Transport(
            base_url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=1,
            guard=guard,
            longest_wait=longest_wait,
        )

    def __repr__(self) -> str:
        return f"TokenEndpoint({self._transport.origin!r})"

    def close(self) -> None:
        """Close the kept connection."""
        self._transport.close()

    def issue(self) -> str:
        """Return a new token, which the vendor says is valid for 24 h.

        Raises CredentialsRefused if the vendor refuses, RateLimited if it asks to wait, else VendorUnavailable: issuing
        costs nothing and may be repeated.
        """
        try:
            answer = self._transport.call(ISSUE, ISSUE.path, body=self._body, secrets=tuple(self._body.values()))
        except (TokenRejected, PayloadRefused) as refusal:
            raise refusal.recast(CredentialsRefused) from None
        data = answer.get("data")
        token = data.get("token") if isinstance(data, dict) else None
        if not isinstance(token, str) or not sendable(token):
            raise VendorUnavailable("the answer holds no usable token", endpoint=str(ISSUE), status=200)
        return token
