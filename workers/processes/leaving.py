"""The signals that end a run: the first one raises an exception, so that the processes are stopped on the way out."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def leave_on_signals() -> None:
    """Have SIGINT raise KeyboardInterrupt, SIGTERM and SIGHUP raise SystemExit; those after the first raise nothing."""
    leave = _Leave()
    for number in NUMBERS:
        signal.signal(number, leave)


@contextlib.contextmanager
def ignored(*numbers: int) -> Iterator[None]:
    """Ignore the given signals inside the block (main thread only)."""
    # Not SIG_IGN: a process that starts now would inherit it.
    before = [(number, signal.signal(number, lambda *_: None)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


class _Leave:
    _leaving = False

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        # make hands a signal on that its group got too: a second exception would cut the way out short.
        if self._leaving:
            return
        self._leaving = True
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)
