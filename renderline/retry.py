"""When a failed step is retried: pure functions of values, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RetryIn:
    """The outcome of a submission or a hook that is retried in `seconds`."""

    seconds: float
    why: str


def backoff(attempt: int, *, base: float, cap: float, jitter: float) -> float:
    """Return the delay after the `attempt`-th failure (from 1). It doubles from `base` up to `cap`.

    `jitter` (0 to 1, drawn by the caller) spreads it over its upper half, so that many failures do not return at once.
    """
    full = min(cap, base * 2 ** min(attempt - 1, 30))
    return full / 2 + full / 2 * jitter


@dataclass(frozen=True)
class RetryPolicy:
    """How often a failing step is retried, and with which delays."""

    attempts: int
    base: float
    cap: float

    def retry_in(self, attempt: int, *, jitter: float, retry_after: float | None = None) -> float | None:
        """Return the delay after the `attempt`-th failure, None to give up; the other side's `retry_after` wins."""
        if attempt >= self.attempts:
            return None
        wait = backoff(attempt, base=self.base, cap=self.cap, jitter=jitter)
        return max(wait, retry_after) if retry_after is not None else wait
