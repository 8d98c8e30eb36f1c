"""Permits: which vendor calls of this thread need not ask the guard again.

Every call passes the guard. A permit carries there what was decided before:

* While an account is in backoff or its circuit is open, the ledger hands out none of its work except the one probe. So
  calls for work that the ledger handed out are not checked again, and the probe passes.
* A submission announces its call in the ledger and waits for the disk. The call must then leave at once, so its turn
  and its token are taken before the announcement.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_current: ContextVar[Permit | None] = ContextVar("permit", default=None)


class Permit:
    """Lets calls pass in backoff. The first one also uses the token and the turn that were taken in advance."""

    def __init__(self, *, token: str | None = None, turn: bool = False) -> None:
        self._token, self._turn = token, turn

    def use_token(self) -> str | None:
        """Return the token that was taken in advance, once."""
        token, self._token = self._token, None
        return token

    def use_turn(self) -> bool:
        """Return whether a turn was taken in advance, once."""
        turn, self._turn = self._turn, False
        return turn


def current_permit() -> Permit | None:
    """Return the permit under which this thread makes its calls, if any."""
    return _current.get()


@contextlib.contextmanager
def using(permit: Permit) -> Iterator[None]:
    """Within it, the vendor calls of this thread are made under the permit."""
    before = _current.set(permit)
    try:
        yield
    finally:
        _current.reset(before)


@contextlib.contextmanager
def claimed_work() -> Iterator[None]:
    """Within it, this thread works on what it claimed from the ledger; also a decorator."""
    with using(Permit()):
        yield
