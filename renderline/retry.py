"""When a failed step or hook is retried: pure functions of values, in seconds."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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


WAITS = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0)
"""Seconds before each retry of a hook, in the spirit of Standard Webhooks; the last value repeats."""

MOST_CALLS = 100
"""To how many calls of an endpoint a request may make a hook lead."""

MAX_RETRY_AFTER = 14_400.0
"""The longest wait (seconds) that an endpoint may ask for with a Retry-After."""

_NO_TIME_LEFT = 2.0
"""Seconds before the end of its time in which a hook is not retried again."""

_HALVINGS = 3
"""How often the time of a call is halved."""

_WHOLE_EVERY = 8
"""Of so many unanswered calls in a row, one gets the whole time."""

_SPREAD = 0.2
"""Each wait varies by up to this share, so that hooks that failed together are not retried together."""


@dataclass(frozen=True)
class HookRetryPolicy:
    """When a failing hook is retried, and for how long.

    It is retried for `retry_for` seconds after its render ended, with at most `attempts` calls in all. `waits` are the
    seconds before each retry; the last one repeats.
    """

    retry_for: float = 259_200.0
    attempts: int | None = None
    waits: tuple[float, ...] = WAITS

    def retry_in(self, attempt: int, *, age: float, jitter: float, retry_after: float | None = None) -> float | None:
        """Return the delay after the `attempt`-th failure (from 1), None to give up.

        `age` is how long ago (seconds) the render ended; the last retry comes when `retry_for` is over. `jitter` is
        drawn by the caller from 0 to 1. The endpoint's `retry_after` (seconds) counts if it is longer.
        """
        left = self.retry_for - age
        if left < min(_NO_TIME_LEFT, self.waits[0]) or (self.attempts is not None and attempt >= self.attempts):
            return None
        wait = self.waits[min(attempt, len(self.waits)) - 1] * (1 - _SPREAD + 2 * _SPREAD * jitter)
        return min(max(wait, min(retry_after or 0.0, MAX_RETRY_AFTER)), left)

    def last(self, attempt: int, *, age: float) -> bool:
        """Return whether the `attempt`-th call (from 1) is the last one that the hook gets."""
        return self.retry_in(attempt, age=age, jitter=1.0) is None

    def over(self, age: float) -> bool:
        """Return whether a hook of this age is dead-lettered without another call."""
        return age > self.retry_for + min(self.retry_for, self.waits[-1])

    def of_hook(self, hook: Mapping[str, Any]) -> HookRetryPolicy:
        """Return the policy of a hook whose request may ask for less, and for waits of its own.

        That is `retry_for` in seconds, `attempts`, and `waits`, a list of seconds.
        """
        most, calls, waits = _number(hook.get("retry_for")), _number(hook.get("attempts")), hook.get("waits")
        own = list(filter(None, map(_number, waits))) if isinstance(waits, list) else []
        return HookRetryPolicy(
            self.retry_for if most is None else min(most, self.retry_for),
            min((count for count in (calls, self.attempts) if count is not None), default=None),
            tuple(map(float, own)) if own and own == waits else self.waits,
        )

    @property
    def calls(self) -> int:
        """How many calls a hook gets whose endpoint never answers 2xx."""
        times = list(itertools.accumulate(self.waits))
        more = int((self.retry_for - times[-1]) // self.waits[-1]) if times[-1] <= self.retry_for else 0
        count = 1 + bisect.bisect_right(times, self.retry_for) + more
        return count if self.attempts is None else min(count, self.attempts)


def _number(value: object) -> int | None:
    # A kind of another package may have a field of this name that means something else.
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def time_for_call(failures: int, *, whole: float, slowest: float = 0.0) -> float:
    """Return the seconds that a call may take, after so many unanswered calls in a row of its host.

    The `whole` time halves with each, so that an endpoint that hangs costs less and less. Two things keep an endpoint
    that is slow, but answers, from being given up: it always gets twice its `slowest` answer of late, and every eighth
    call gets the whole time.
    """
    if failures % _WHOLE_EVERY == _WHOLE_EVERY - 1:
        return whole
    return min(whole, max(whole / 2 ** min(failures, _HALVINGS), 2 * slowest))
