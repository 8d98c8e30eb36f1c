"""Waiting for a condition."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def until(condition: Callable[[], Any], *, seconds: float = 60.0, what: object = "") -> Any:
    """Return the condition's first true value; fail the test after the timeout.

    The default is far above what an idle machine needs: other processes may use the cores for a while.
    """
    give_up = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < give_up, f"not within {seconds:g} s: {what or condition}"
        time.sleep(0.02)
    return value
