"""Ends the processes of a run if the run itself was killed before it could: `python -m workers.demo.guard`.

It reads the ids of process groups from standard input, one on each line. When that ends, because its writer has closed
it or has died, it ends the groups that are left: SIGTERM, and SIGKILL for what remains after some seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection

_PATIENCE = 8.0


def main() -> None:
    """Wait for the end of standard input, and end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin]
    if left := _sent(groups, signal.SIGTERM):
        give_up = time.monotonic() + _PATIENCE
        while left and time.monotonic() < give_up:
            time.sleep(0.05)
            left = _sent(left, 0)
        _sent(left, signal.SIGKILL)


def _sent(groups: Collection[int], number: int) -> list[int]:
    """Send a signal (0: none) to each group; return those that exist."""
    found = []
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            found.append(group)
    return found


if __name__ == "__main__":
    main()
