"""The threads in which the application runs. Probes and webhooks have their own, so that no other call delays them;
uploads have, so that they delay no other call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_WEBHOOKS: Final = "/webhooks/"
_UPLOADS: Final = "/v1/uploads"
_PROBE_THREADS: Final = 2
_WEBHOOK_THREADS: Final = 8
UPLOAD_THREADS: Final = 8
"""Uploads that a process takes at once: each has its thread for as long as its client sends."""


class Threads:
    """Thread pools by path: `calls` threads for the API, a few for webhooks, a few for probes."""

    def __init__(self, calls: int) -> None:
        self._calls = ThreadPoolExecutor(calls, "call")
        self._webhooks = ThreadPoolExecutor(_WEBHOOK_THREADS, "webhook")
        self._probes = ThreadPoolExecutor(_PROBE_THREADS, "probe")
        self._uploads = ThreadPoolExecutor(UPLOAD_THREADS, "upload")
        self._uploading = 0
        self._counting = threading.Lock()

    def run(self, path: str, work: Callable[[], Any]) -> None:
        """Run `work` in a thread for calls of this path, as soon as one is free."""
        if path in _PROBES:
            self._probes.submit(work)
        elif path.startswith(_WEBHOOKS):
            self._webhooks.submit(work)
        elif path == _UPLOADS:
            with self._counting:
                self._uploading += 1
            self._uploads.submit(self._upload, work)
        else:
            self._calls.submit(work)

    def has_room_for_upload(self) -> bool:
        """Return whether an upload would have a thread at once."""
        return self._uploading < UPLOAD_THREADS

    def _upload(self, work: Callable[[], Any]) -> None:
        try:
            work()
        finally:
            with self._counting:
                self._uploading -= 1

    def stream(self, work: Callable[[], Any]) -> None:
        """Run the sending of an event stream in a thread of its own; the application limits their number."""
        threading.Thread(target=work, name="stream", daemon=True).start()
