"""How progress grows with time: pure functions from the elapsed share (0..1) to the done share (0..1)."""

import math
from collections.abc import Callable

Curve = Callable[[float], float]

STEPS = 5
QUEUED_SHARE = 0.35
"""The part of a `queued` render that is spent waiting at 0."""


def linear(elapsed: float) -> float:
    """Even progress."""
    return elapsed


def slow_start(elapsed: float) -> float:
    """Slow first, fast at the end."""
    return elapsed**2.5


def slow_end(elapsed: float) -> float:
    """Fast first, slow at the end."""
    return 1.0 - (1.0 - elapsed) ** 2.5


def steps(elapsed: float) -> float:
    """Progress in five jumps."""
    return math.floor(elapsed * STEPS) / STEPS


def queued(elapsed: float) -> float:
    """Stays at 0 for a while, then grows evenly."""
    return max(0.0, (elapsed - QUEUED_SHARE) / (1.0 - QUEUED_SHARE))


CURVES: dict[str, Curve] = {
    "linear": linear,
    "slow-start": slow_start,
    "slow-end": slow_end,
    "steps": steps,
    "queued": queued,
}
MIXED = "mixed"
"""The option that picks one of CURVES at random for every render."""


def share_when(curve: Curve, done: float) -> float:
    """The smallest elapsed share at which `curve` reaches `done` (both 0..1), by bisection."""
    low, high = 0.0, 1.0
    if curve(low) >= done:
        return low
    for _ in range(40):
        middle = (low + high) / 2
        if curve(middle) >= done:
            high = middle
        else:
            low = middle
    return high
