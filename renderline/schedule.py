"""When to look again, when to try again, when to give up: pure functions of values, `now` included, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PollPolicy:
    """How closely a render is followed.

    `first` is the delay of the first look; between `least` and `most` lies every other one. `settle` is the gap
    between two looks that together prove that an export was never started.
    """

    first: float = 2.0
    least: float = 2.0
    most: float = 30.0
    settle: float = 10.0


def poll_in(
    *,
    policy: PollPolicy,
    now: float,
    since: float,
    progress: float,
    before: float = 0.0,
    before_at: float | None = None,
    deadline_at: float,
) -> float:
    """Return in how many seconds to look at a render again.

    `since` is when it started, `progress` what was just seen, `before` and `before_at` the last higher value seen
    earlier and when. With progress the end is predicted from the slower of the overall and the latest rate and half of
    what remains is slept, so that the looks close in on it; without, the sleep grows with the age. Never past the
    deadline: the look that finds it passed is the last one.
    """
    age = max(0.0, now - since)
    if progress >= 100:
        wait = policy.least
    elif progress <= 0:
        wait = age * 0.3
    else:
        remaining = age * (100 - progress) / progress
        if before_at is not None and progress > before and now > before_at:
            remaining = max(remaining, (now - before_at) * (100 - progress) / (progress - before))
        wait = remaining / 2
    wait = min(max(wait, policy.least), policy.most)
    return max(0.0, min(wait, deadline_at - now))


def backoff(attempt: int, *, base: float, cap: float, jitter: float) -> float:
    """Return the delay after the `attempt`-th failure (from 1): doubling from `base` up to `cap`.

    `jitter` (0 to 1, drawn by the caller) spreads it over its upper half, so that many failures do not return at once.
    """
    full = min(cap, base * 2 ** min(attempt - 1, 30))
    return full / 2 + full / 2 * jitter


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how far apart a failing step is tried."""

    attempts: int
    base: float
    cap: float

    def retry_in(self, attempt: int, *, jitter: float, retry_after: float | None = None) -> float | None:
        """Return the delay after the `attempt`-th failure, None to give up; the other side's `retry_after` wins."""
        if attempt >= self.attempts:
            return None
        wait = backoff(attempt, base=self.base, cap=self.cap, jitter=jitter)
        return max(wait, retry_after) if retry_after is not None else wait
