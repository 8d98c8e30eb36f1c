"""Free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on.

    Below those that systems give to outgoing connections: such a one could have the port when it is needed.
    """
    # Not the common generator: property tests give that the same seed in every process.
    for port in random.SystemRandom().sample(range(16_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port between 16000 and 32000 was free on 127.0.0.1")
