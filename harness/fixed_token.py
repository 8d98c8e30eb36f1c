"""A token source for tests that are not about tokens."""

from __future__ import annotations


class FixedToken:
    """Gives a token that the vendor never refuses."""

    def current(self) -> str:
        """Return the token."""
        return "token"

    def reject(self, token: str) -> None:
        """Fail the test."""
        raise AssertionError(token)
