"""Simulates poll schedules on many shapes of progress, and compares ours with fixed and exponential ones.

Renders of 1 to 10 minutes, unscaled. A poll takes no time here, so the lag is that of the schedule itself. `python -m
benchmarks.schedule_simulation` prints the table.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from benchmarks.result import quantile
from renderline.polling.policy import PollPolicy, ProgressHistory, poll_in

Curve = Callable[[float], float]
"""From the elapsed share of a render's time (0 to 1) to its progress (0 to 1)."""

SUBMISSION_CALLS = 2
"""Draft and export. The token is one call a day and account, and not counted."""

_DEADLINE = 3600.0


def _steps(count: int) -> Curve:
    return lambda share: math.floor(share * count) / count


def _waits_first(waiting: float) -> Curve:
    return lambda share: max(0.0, (share - waiting) / (1 - waiting))


def _stalls(begin: float, end: float) -> Curve:
    """Even, apart from a stretch without progress."""
    speed = 1 / (1 - (end - begin))
    return lambda share: speed * (share if share < begin else begin if share < end else share - (end - begin))


def _knee(at: float, done: float) -> Curve:
    """Two even stretches: progress `done` is reached at the share `at` of the time."""
    return lambda share: done * share / at if share < at else done + (1 - done) * (share - at) / (1 - at)


MIX: dict[str, Curve] = {
    "linear": lambda share: share,
    "slow start": lambda share: share**2.5,
    "slow end": lambda share: 1 - (1 - share) ** 2.5,
    "5 steps": _steps(5),
    "waits at 0": _waits_first(0.35),
}
"""The shapes of the targets: linear, slow start, slow end, steps, waiting at 0 first."""

FURTHER: dict[str, Curve] = {
    "s-curve": lambda share: share * share * (3 - 2 * share),
    "10 steps": _steps(10),
    "2 steps": _steps(2),
    "stalls": _stalls(0.45, 0.7),
    "90 % at half time": _knee(0.5, 0.9),
    "99 % at 70 %": _knee(0.7, 0.99),
    "10 % at 80 %": _knee(0.8, 0.1),
    "long queue": _waits_first(0.8),
    "nothing but the end": lambda share: 0.0,
}
"""Shapes without a target, to see a schedule outside its tuning."""


@dataclass
class Render:
    """What a schedule knows: the start (0), the clock, and the result of each poll."""

    typical: float | None = None
    now: float = 0.0
    seen: list[float] = field(default_factory=list)


class Schedule(Protocol):
    """A rule for when to poll next; made anew for each render."""

    def wait(self, render: Render) -> float:
        """Return the seconds until the next poll; the first call comes before any poll (`seen` is empty)."""


class Fixed:
    """A fixed interval, as in the vendor's samples."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def wait(self, render: Render) -> float:
        """Return the interval."""
        return self._seconds


class Exponential:
    """Each wait is 1.5 times the last, between 2 s and `most`."""

    def __init__(self, most: float, factor: float = 1.5) -> None:
        self._most, self._factor = most, factor

    def wait(self, render: Render) -> float:
        """Return the next wait."""
        return min(self._most, 2.0 * self._factor ** len(render.seen))


class Ours:
    """`renderline.polling.policy` as the workers use it. Only this class depends on its interface."""

    def __init__(self, policy: PollPolicy | None = None) -> None:
        self._policy = policy or PollPolicy()
        self._course = ProgressHistory(0.0)

    def wait(self, render: Render) -> float:
        """Return the wait after the newest poll."""
        if not render.seen:
            return self._policy.first_poll_in(typical=render.typical)
        self._course = self._course.seen(render.seen[-1], now=render.now)
        unmoved = render.typical if render.seen[-1] <= 0 else None
        return poll_in(self._course, policy=self._policy, now=render.now, deadline_at=_DEADLINE, typical=unmoved)


@dataclass(frozen=True)
class Followed:
    """The polls of a render, and how late the last one was (seconds)."""

    polls: int
    lag: float


def follow(schedule: Schedule, curve: Curve, seconds: float, *, typical: float | None = None) -> Followed:
    """Poll a render that takes `seconds` until a poll sees it done."""
    polls = polls_at(schedule, curve, seconds, typical=typical)
    return Followed(len(polls), polls[-1] - seconds)


def polls_at(schedule: Schedule, curve: Curve, seconds: float, *, typical: float | None = None) -> list[float]:
    """Return the times of the polls of a render that takes `seconds`, in seconds from its start."""
    render = Render(typical=typical)
    polls = []
    while True:
        render.now += schedule.wait(render)
        polls.append(render.now)
        if render.now >= seconds:
            return polls
        # The vendor shows two decimals, and never 100 before the end.
        render.seen.append(min(99.99, round(curve(render.now / seconds) * 100, 2)))


@dataclass(frozen=True)
class Judgement:
    """The cost of a schedule over many renders: calls, including those of the submission, and lags in seconds."""

    calls: float
    lag: float
    lag_p95: float

    @classmethod
    def of(cls, followed: Sequence[Followed]) -> Judgement:
        """Sum up."""
        return cls(
            sum(one.polls for one in followed) / len(followed) + SUBMISSION_CALLS,
            sum(one.lag for one in followed) / len(followed),
            quantile((one.lag for one in followed), 0.95),
        )

    def figures(self) -> dict[str, float]:
        """Return the figures for the results file."""
        return {"calls": round(self.calls, 2), "lag_mean_s": round(self.lag, 2), "lag_p95_s": round(self.lag_p95, 2)}


def durations(count: int, *, seed: int = 1) -> list[float]:
    """Return durations of renders in seconds, even over 1 to 10 minutes."""
    chance = random.Random(seed)
    return [chance.uniform(60, 600) for _ in range(count)]


def typical_of(lengths: Iterable[float]) -> float:
    """Return what a worker knows of such renders: how long the quickest tenth takes."""
    return quantile(lengths, 0.1)


SCHEDULES: Mapping[str, Callable[[], Schedule]] = {
    "renderline": Ours,
    **{f"fixed {seconds} s": partial(Fixed, seconds) for seconds in (3, 10, 30, 60)},
    **{f"exponential to {most} s": partial(Exponential, most) for most in (10, 30, 60)},
}
LEARNT = "renderline, durations learnt"


def judge(
    make: Callable[[], Schedule], curves: Mapping[str, Curve], *, count: int = 400, typical: float | None = None
) -> dict[str, Judgement]:
    """Return the cost of a schedule for each curve, and over all of them under the name `all`."""
    found: dict[str, list[Followed]] = {
        name: [follow(make(), curve, seconds, typical=typical) for seconds in durations(count)]
        for name, curve in curves.items()
    }
    found["all"] = [one for followed in list(found.values()) for one in followed]
    return {name: Judgement.of(followed) for name, followed in found.items()}


def compare(curves: Mapping[str, Curve], *, count: int = 400) -> dict[str, dict[str, Judgement]]:
    """Return the cost of every schedule."""
    found = {name: judge(make, curves, count=count) for name, make in SCHEDULES.items()}
    found[LEARNT] = judge(Ours, curves, count=count, typical=typical_of(durations(count)))
    return found


def main() -> None:
    """Print calls, mean lag and p95 lag of each schedule and curve."""
    for title, curves in (("the mix of the targets", MIX), ("further shapes", FURTHER)):
        print(title)
        for name, judgements in compare(curves).items():
            print(f"  {name}")
            for curve, judgement in judgements.items():
                lags = f"lag {judgement.lag:5.2f} s, p95 {judgement.lag_p95:6.2f} s"
                print(f"    {curve:20} {judgement.calls:6.1f} calls, {lags}")


if __name__ == "__main__":
    main()
