"""How a process ended, in words, and what follows: a pause before it starts again, or no restart at all."""

from __future__ import annotations

import os
import signal
from typing import Final

from renderline.retry import backoff

_REFUSALS: Final = frozenset({os.EX_CONFIG, 4})
"""Exit codes of a process that refuses its settings. 4 is gunicorn's, for an application that cannot be loaded."""

_FIRST, _LONGEST = 1.0, 30.0

SETTLED: Final = 60.0
"""After so many seconds a process counts as healthy again: the next restart comes after the shortest pause."""


def how(returncode: int) -> str:
    """Return how a process ended, from its return code as `subprocess` has it: negative for a signal."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def refuses_settings(returncode: int) -> bool:
    """Return whether the process would end again: its settings are wrong."""
    return returncode in _REFUSALS


def pause(endings: int) -> float:
    """Return the seconds before a process starts again that has ended so many times in a row (from 1)."""
    return backoff(endings, base=_FIRST, cap=_LONGEST, jitter=1.0)
