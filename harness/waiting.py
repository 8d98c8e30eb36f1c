"""Waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SOONEST, LATEST = 0.02, 0.1
"""Seconds between two looks: at the beginning, and from two seconds on."""


def until(condition: Callable[[], Any], *, seconds: float = 60.0, what: object = "") -> Any:
    """Return the condition's first true value; fail the test after the timeout.

    The default is far above what an idle machine needs: other processes may use the cores for a while.
    The longer it takes the less often the condition is asked: asking costs time that what is waited for could use.
    """
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        assert waited < seconds, f"not within {seconds:g} s: {what or condition}"
        time.sleep(min(max(waited / 20, SOONEST), LATEST))
    return value
