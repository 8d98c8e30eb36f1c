"""When to look again, when to try again, when to give up: pure functions of values, `now` included, in seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class PollPolicy:
    """How closely a render is followed.

    `first` is the delay of the first look at a render of whose like nothing is known; between `least` and `most` lies
    every other one. `settle` is the least gap between looks for evidence of an export. `net`
    is the least delay of those that only make sure, while the vendor's webhooks arrive and tell what a look would
    show; None without webhooks.
    """

    first: float = 6.0
    least: float = 2.0
    most: float = 60.0
    settle: float = 10.0
    net: float | None = None

    def making_sure(self, slow: float | None = None) -> float | None:
        """Return the least delay of a look while the vendor's webhooks arrive; None if nothing asks for webhooks.

        `slow` is how long slow renders of this kind have taken lately: spread over that, such looks cost a render less
        than one call.
        """
        return None if self.net is None else max(self.net, (slow or 0.0) * _INSURED)

    def first_in(self, *, typical: float | None = None) -> float:
        """Return the delay of the first look.

        `typical` is how long a quick render of this kind has taken lately: until half of it has passed, a look would
        only cost a call.
        """
        return self.first if typical is None else min(max(self.least, typical / 2), max(self.first, self.most))


NETS_OF_TRUST = 10
"""For how many times `net` after the last webhook of an account further ones are relied on."""

# Found by simulation over renders of 1 to 10 minutes and many shapes of progress (benchmarks/schedule_simulation.py).
_INSURED = 0.4
"""Share of a slow render's duration between two looks that only make sure: 0.8 of them a render, on average."""
_SHARE = 0.5
"""How much of the predicted rest is slept, so that the looks close in on the end."""
_GROWTH = 0.5
"""No sleep is longer than this share of the render's age: what is young may surprise."""
_UNSEEN = 0.8
"""The share of the render's age that is slept while there is no progress to predict from."""
_OVERDUE = 0.25
"""How much the sleep grows with each second past the predicted end, up to `_TAIL` times the least one."""
_TAIL = 4.0
_STEP = 0.06
"""What moves in steps may jump to the end: from `_LATE` per cent on, no sleep is longer than this share of its age."""
_LATE = 60.0


@dataclass(frozen=True)
class ProgressHistory:
    """What the looks at a render have shown so far.

    `since` is when it started; `progress` (per cent) was first seen at `risen_at`, after rising at `rate` (per cent a
    second); `stalls` looks found it where it was.
    """

    since: float
    progress: float = 0.0
    risen_at: float | None = None
    rate: float | None = None
    stalls: int = 0

    def seen(self, progress: float, *, now: float) -> ProgressHistory:
        """Return the course after another look."""
        if progress <= self.progress:
            return replace(self, stalls=self.stalls + 1) if self.progress > 0 else self
        passed = now - (self.since if self.risen_at is None else self.risen_at)
        rate = (progress - self.progress) / passed if passed > 0 else self.rate
        return replace(self, progress=progress, risen_at=now, rate=rate)


def poll_in(
    course: ProgressHistory,
    *,
    policy: PollPolicy,
    now: float,
    deadline_at: float,
    typical: float | None = None,
    slow: float | None = None,
    trusted: bool = False,
) -> float:
    """Return in how many seconds to look at a render again.

    The end is predicted from the rate of the latest rise, and half of what remains is slept, so that the looks close
    in on it; past the predicted end they come gently slower. Before any progress the sleep grows with the age; until
    half of `typical` (how long a quick render of this kind has taken lately) has passed there is nothing to see.
    Never past the deadline: the look that finds it passed is the last one.

    `trusted`: the vendor's webhooks arrive, and one will say when it is done. Then the look only makes sure: once the
    predicted end has passed, between one and two times `policy.making_sure(slow)` from now.
    """
    age = max(0.0, now - course.since)
    left = _left(course, now=now)
    if course.progress >= 100:
        wait = policy.least
    elif trusted and (net := policy.making_sure(slow)) is not None:
        wait = min(max(age * 0.3 if left is None else left, net), net * 2)
        return max(0.0, min(wait, deadline_at - now))
    elif left is None:
        wait = max(age * _UNSEEN, (typical or 0.0) / 2 - age)
    else:
        wait = left * _SHARE + policy.least / 4 if left > 0 else policy.least - left * _OVERDUE
        wait = min(wait, age * _GROWTH if left > 0 else policy.least * _TAIL)
        if course.stalls and course.progress >= _LATE:
            wait = min(wait, age * _STEP)
    wait = min(max(wait, policy.least), policy.most)
    return max(0.0, min(wait, deadline_at - now))


def _left(course: ProgressHistory, *, now: float) -> float | None:
    """Return the seconds until the predicted end (negative: past it), None without progress to predict from."""
    if course.risen_at is None or not course.rate:
        return None
    return course.risen_at + (100 - course.progress) / course.rate - now
