"""Free ports of the loopback interface."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """Return a free port of the loopback interface.

    It is below the range of outgoing connections: one of those could take the port first.
    """
    # Not the shared generator: property tests seed that alike in every process.
    for port in random.SystemRandom().sample(range(16_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port between 16000 and 32000 was free on 127.0.0.1")
