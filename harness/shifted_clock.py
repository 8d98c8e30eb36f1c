"""Run a function with a wrong clock: `python -m harness.shifted_clock SECONDS MODULE FUNCTION ARG...`."""

from __future__ import annotations

import datetime
import importlib
import sys
import time

_true_time, _true_datetime = time.time, datetime.datetime


def shift(seconds: float) -> None:
    """Set this process's clock ahead by so many seconds. Call it before other imports."""

    class Datetimes(type):
        def __instancecheck__(cls, one: object) -> bool:
            return isinstance(one, _true_datetime)

    class Shifted(_true_datetime, metaclass=Datetimes):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Shifted:
            return cls.fromtimestamp(_true_time() + seconds, tz)

    time.time = lambda: _true_time() + seconds
    datetime.datetime = Shifted  # type: ignore[misc]


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    getattr(importlib.import_module(sys.argv[2]), sys.argv[3])(*sys.argv[4:])
