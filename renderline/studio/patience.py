"""How long a caller waits for an answer that comes only when the work is done, if it holds no claim that could end."""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_seconds: ContextVar[float] = ContextVar("seconds", default=0.0)


@contextlib.contextmanager
def patient(seconds: float) -> Iterator[None]:
    """Inside it, exchanges of slow endpoints may take so many seconds, if that is more than the client allows.

    For callers without a claim in the ledger: a worker's claim would end meanwhile, and another worker take over.
    """
    token = _seconds.set(seconds)
    try:
        yield
    finally:
        _seconds.reset(token)


def allowed(usual: float) -> float:
    """Return the seconds that an exchange of a slow endpoint may take."""
    return max(usual, _seconds.get())
