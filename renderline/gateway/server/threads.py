"""The threads in which the application runs. Probes and webhooks have their own, so that no other call delays them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_WEBHOOKS: Final = "/webhooks/"
_PROBE_THREADS: Final = 2
_WEBHOOK_THREADS: Final = 8


class Threads:
    """Thread pools by path: `calls` threads for the API, a few for webhooks, a few for probes."""

    def __init__(self, calls: int) -> None:
        self._calls = ThreadPoolExecutor(calls, "call")
        self._webhooks = ThreadPoolExecutor(_WEBHOOK_THREADS, "webhook")
        self._probes = ThreadPoolExecutor(_PROBE_THREADS, "probe")

    def run(self, path: str, work: Callable[[], Any]) -> None:
        """Run `work` in a thread for calls of this path, as soon as one is free."""
        if path in _PROBES:
            self._probes.submit(work)
        elif path.startswith(_WEBHOOKS):
            self._webhooks.submit(work)
        else:
            self._calls.submit(work)

    def stream(self, work: Callable[[], Any]) -> None:
        """Run the sending of an event stream in a thread of its own; the application limits their number."""
        threading.Thread(target=work, name="stream", daemon=True).start()
