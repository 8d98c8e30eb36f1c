"""Free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import random
import socket
from collections import deque

_given: deque[int] = deque(maxlen=500)
"""The newest ports of this process: who asked for one may not listen yet."""


def free_port() -> int:
    """Return a free port of the loopback interface.

    It is below the range of outgoing connections: one of those could take the port first. Each of pytest's processes
    has a part of the ports to itself.
    """
    first, count = 16_000, 16_000
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        count = 2_000
        first += int(worker.removeprefix("gw")) % 8 * count
    # Not the shared generator: property tests seed that alike in every process.
    for port in random.SystemRandom().sample(range(first, first + count), 600):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.append(port)
                return port
    raise OSError(f"no port from {first} to {first + count - 1} was free on 127.0.0.1")
