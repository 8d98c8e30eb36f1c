"""Ends the processes of a run if the run itself was killed before it could. A program of its own: guard.py SECONDS.

It reads the ids of process groups from standard input, one on each line; a line with a minus takes one back. When the
input ends, because its writers have closed it or have died, it ends the groups that are left: SIGTERM, and SIGKILL for
what remains after that many seconds.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Collection, Iterable


def main(patience: float) -> None:
    """Wait for the end of standard input, and end what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if left := sent(groups(sys.stdin), signal.SIGTERM):
        give_up = time.monotonic() + patience
        while left and time.monotonic() < give_up:
            time.sleep(0.05)
            left = sent(left, 0)
        sent(left, signal.SIGKILL)


def groups(lines: Iterable[str]) -> set[int]:
    """Return the groups that the lines name and do not take back."""
    found: set[int] = set()
    for line in lines:
        number = int(line)
        if number > 0:
            found.add(number)
        else:
            found.discard(-number)
    return found


def sent(groups: Collection[int], number: int) -> list[int]:
    """Send a signal (0: none) to each group; return those that exist."""
    found = []
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
            found.append(group)
    return found


if __name__ == "__main__":
    main(float(sys.argv[1]))
