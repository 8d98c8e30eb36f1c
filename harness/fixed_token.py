"""A token source for tests that are not about tokens."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FixedToken:
    """Gives a token that the vendor never refuses."""

    token: str = "token"

    def current(self) -> str:
        """Return the token."""
        return self.token

    def reject(self, token: str) -> None:
        """Fail the test."""
        raise AssertionError(token)
