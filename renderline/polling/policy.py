"""When to poll a render next: pure functions of values, `now` included, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PollPolicy:
    """How often a render is polled.

    The first poll comes after `first_interval`, unless the durations of earlier renders of the kind are known. All
    others come between `min_interval` and `max_interval`. Polls for evidence of an export are at least
    `confirm_interval` apart. `fallback_interval` is the least delay while the vendor's webhooks arrive: polls are only
    a fallback then. None without webhooks.
    """

    first_interval: float = 6.0
    min_interval: float = 2.0
    max_interval: float = 60.0
    confirm_interval: float = 10.0
    fallback_interval: float | None = None

    def fallback_poll_in(self, slow: float | None = None) -> float | None:
        """Return the least delay of a poll while the vendor's webhooks arrive; None without webhooks.

        `slow` is the recent duration of slow renders of this kind. With such delays, fallback polls cost a render less
        than one call.
        """
        return None if self.fallback_interval is None else max(self.fallback_interval, (slow or 0.0) * _FALLBACK_SHARE)

    def first_poll_in(self, *, typical: float | None = None) -> float:
        """Return the delay of the first poll.

        `typical` is the recent duration of a quick render of this kind. Polls before half of it would only cost calls.
        """
        if typical is None:
            return self.first_interval
        return min(max(self.min_interval, typical / 2), max(self.first_interval, self.max_interval))

    def confirm_poll_in(self, age: float) -> float:
        """Return the delay of the next poll for evidence of an export; `age` is how long it is unconfirmed."""
        return min(max(self.confirm_interval, age * _CONFIRM_SHARE), self.max_interval)


WEBHOOKS_ALIVE_INTERVALS = 10
"""Fallback intervals after an account's last webhook for which more webhooks are expected."""

_CONFIRM_SHARE = 0.5
"""Delay of a poll for evidence as a share of the render's age: they become rarer."""

# Found by simulation of renders of 1 to 10 minutes with many shapes of progress (benchmarks/schedule_simulation.py).
_FALLBACK_SHARE = 0.4
"""Share of a slow render's duration between two fallback polls, which makes 0.8 of them per render on average."""
_SHARE = 0.5
"""Share of the predicted remaining time until the next poll, so that the polls close in on the end."""
_GROWTH = 0.5
"""No delay is longer than this share of the render's age: a young render may surprise."""
_UNSEEN = 0.8
"""Delay as a share of the render's age while there is no progress to predict from."""
_OVERDUE = 0.25
"""How much the delay grows with each second past the predicted end, up to `_TAIL` times the shortest one."""
_TAIL = 4.0
_STEP = 0.06
"""Progress in steps may jump to the end: from `_LATE` per cent on, no delay exceeds this share of the age."""
_LATE = 60.0


@dataclass(frozen=True)
class ProgressHistory:
    """What the polls of a render have shown so far.

    `since` is when it started; `progress` (per cent) was first seen at `risen_at`, after rising at `rate` (per cent a
    second); `stalls` polls since then saw no change.
    """

    since: float
    progress: float = 0.0
    risen_at: float | None = None
    rate: float | None = None
    stalls: int = 0

    def seen(self, progress: float, *, now: float) -> ProgressHistory:
        """Return the history after another poll."""
        if progress <= self.progress:
            return replace(self, stalls=self.stalls + 1) if self.progress > 0 else self
        passed = now - (self.since if self.risen_at is None else self.risen_at)
        rate = (progress - self.progress) / passed if passed > 0 else self.rate
        return replace(self, progress=progress, risen_at=now, rate=rate)


def poll_in(
    history: ProgressHistory,
    *,
    policy: PollPolicy,
    now: float,
    deadline_at: float,
    typical: float | None = None,
    slow: float | None = None,
    webhooks_alive: bool = False,
) -> float:
    """Return in how many seconds to poll a render again.

    The end is predicted from the rate of the latest rise. The next poll comes after half of the remaining time, so
    that the polls close in on the end; past the predicted end they slowly become rarer. Before any progress the delay
    grows with the age; until half of `typical` (how long a quick render of this kind has taken lately) has passed
    there is nothing to see. A poll never comes after the deadline: the poll that finds it passed is the last one.

    `webhooks_alive`: the vendor's webhooks arrive, and one will report the end. Then a poll is only a fallback: once
    the predicted end has passed, between one and two times `policy.fallback_poll_in(slow)` from now.
    """
    age = max(0.0, now - history.since)
    left = _left(history, now=now)
    if history.progress >= 100:
        wait = policy.min_interval
    elif webhooks_alive and (fallback := policy.fallback_poll_in(slow)) is not None:
        wait = min(max(age * 0.3 if left is None else left, fallback), fallback * 2)
        return max(0.0, min(wait, deadline_at - now))
    elif left is None:
        wait = max(age * _UNSEEN, (typical or 0.0) / 2 - age)
    else:
        wait = left * _SHARE + policy.min_interval / 4 if left > 0 else policy.min_interval - left * _OVERDUE
        wait = min(wait, age * _GROWTH if left > 0 else policy.min_interval * _TAIL)
        if history.stalls and history.progress >= _LATE:
            wait = min(wait, age * _STEP)
    wait = min(max(wait, policy.min_interval), policy.max_interval)
    return max(0.0, min(wait, deadline_at - now))


def _left(history: ProgressHistory, *, now: float) -> float | None:
    """Return the seconds until the predicted end (negative: past it), None without progress to predict from."""
    if history.risen_at is None or not history.rate:
        return None
    return history.risen_at + (100 - history.progress) / history.rate - now
