"""Whether a worker lives, for what restarts it: systemd hears of it, Kubernetes and Docker ask at the metrics' address.

Nothing here asks Redis: a supervisor must not restart every worker because Redis is away. `python -m workers.liveness`
asks the worker of this machine or container, and ends with 0 if it lives; it imports nothing but the standard library.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

ON_THIS_MACHINE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""Where to ask a process of this machine that listens at every address."""

STALE_AFTER: Final = 300.0
"""Seconds without a check of the consumer after which a worker counts as hung. A check that waits for a Redis which
takes connections and answers nothing ends within 70."""


class Canary(Protocol):
    """What is watched of a consumer."""

    @property
    def deaf(self) -> bool:
        """Whether its connection delivers nothing."""


@dataclass
class Heartbeat:
    """Beats after each check of the consumer, in the thread that does them."""

    canary: Canary
    clock: Callable[[], float] = time.monotonic
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    _beat_at: float | None = field(default=None, init=False)

    def beat(self) -> None:
        """Note that the consumer was checked, and tell systemd; the first time that this worker is ready."""
        first, self._beat_at = self._beat_at is None, self.clock()
        notify("READY=1\nWATCHDOG=1" if first else "WATCHDOG=1", self.environ)

    def healthz(self) -> str | None:
        """Return why this worker should be restarted, or None."""
        silent = self.clock() - self._beat_at if self._beat_at is not None else 0.0
        return f"its consumer was not checked for {silent:.0f} s" if silent > STALE_AFTER else None

    def readyz(self) -> str | None:
        """Return why this worker takes no messages, or None."""
        return "its consumer's connection delivers nothing" if self.canary.deaf else self.healthz()


def notify(state: str, environ: Mapping[str, str]) -> None:
    """Tell the service manager that started this process; without one do nothing."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        # A message that does not arrive is no reason to stop working.
        sender.setblocking(False)
        try:
            sender.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            return


def ask(bind: str, *, timeout: float = 3.0) -> str | None:
    """Ask the worker that serves its metrics at `host:port`; return why it does not live, or None."""
    host, _, port = bind.rpartition(":")
    host = ON_THIS_MACHINE.get(host, host)
    # No proxy of the environment stands between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"http://{host}:{port}/healthz", timeout=timeout).close()
    except (OSError, ValueError) as problem:
        return str(problem)
    return None


if __name__ == "__main__":
    _bind = os.environ.get("RENDERLINE_METRICS_BIND", "").strip()
    _problem = ask(_bind) if _bind else "RENDERLINE_METRICS_BIND is unset, so the worker answers nowhere"
    sys.exit(f"the worker does not live: {_problem}" if _problem else 0)
