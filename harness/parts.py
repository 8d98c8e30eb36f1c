"""Parts that are started together, and ended together."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self


class Parts:
    """A context manager whose `_start` starts parts, and puts into `_ending` what ends each of them.

    They end in reverse order, also when one of them does not start.
    """

    def __init__(self) -> None:
        self._ending = ExitStack()

    def _start(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.close()
