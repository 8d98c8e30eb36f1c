"""The hook endpoints: one fails a share of the calls, one hangs for a time. Their records decide what was delivered."""

from __future__ import annotations

import http.server
import json
import random
import sys
import threading
import time
from collections import Counter
from typing import Any, Self
from urllib.parse import urlsplit

HookCall = tuple[int, str]
"""A hook of a render: the order number and the path that was called."""


class Tally:
    """Decides which calls fail, a share `fails` drawn from `seed`, and records the hooks that were taken."""

    def __init__(self, *, fails: float, seed: int) -> None:
        self._chance, self._fails = random.Random(seed), fails
        self._lock = threading.Lock()
        self.calls = 0
        self.refused = 0
        self.hung = 0
        self._taken: Counter[tuple[HookCall, str]] = Counter()
        self._first: dict[HookCall, float] = {}

    def take(self, path: str, webhook_id: str, body: dict[str, Any]) -> int:
        """Return the status that answers a call."""
        order = int(body["data"]["metadata"]["order"])
        with self._lock:
            self.calls += 1
            if self._chance.random() < self._fails:
                self.refused += 1
                return 500
            self._taken[(order, path), webhook_id] += 1
            self._first.setdefault((order, path), time.time())
            return 204

    def hang(self) -> None:
        """Count a call that is not answered."""
        with self._lock:
            self.hung += 1

    def taken(self) -> dict[tuple[HookCall, str], int]:
        """Return how often each hook was taken, by render and path, and webhook id."""
        with self._lock:
            return dict(self._taken)

    def arrived(self) -> dict[HookCall, float]:
        """Return which hooks were taken, and the epoch seconds of the first time."""
        with self._lock:
            return dict(self._first)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # The caller was killed, as the test intends.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class HookEndpoint:
    """An HTTP server over a tally, under the name `host`. It can hang: then it takes calls and does not answer."""

    def __init__(self, tally: Tally, *, host: str = "127.0.0.1") -> None:
        answering = threading.Event()
        answering.set()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                raw = self.rfile.read(length)
                if len(raw) < length:
                    # Its caller was killed in the middle of the request.
                    self.close_connection = True
                    return
                body = json.loads(raw)
                if not answering.is_set():
                    tally.hang()
                    answering.wait()
                    # The caller is gone, or gets no answer.
                    self.close_connection = True
                    return
                status = tally.take(urlsplit(self.path).path, self.headers.get("webhook-id", ""), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._answering = answering
        self.url = f"http://{host}:{self._server.server_port}"

    def hang(self) -> None:
        """Take calls from now on without answering them."""
        self._answering.clear()

    def answer(self) -> None:
        """Answer calls again; those that hang are cut."""
        self._answering.set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.answer()
        self._server.shutdown()
        self._server.server_close()
