"""The service that hooks call: it fails a share of the calls and keeps what it took, the ground truth of deliveries."""

from __future__ import annotations

import http.server
import json
import random
import sys
import threading
from collections import Counter
from typing import Any, Self
from urllib.parse import urlsplit

Place = tuple[int, str]
"""Which hook of which render: the order number and the path that was called."""


class Tally:
    """Decides what is refused, the share `fails` of the calls as drawn from `seed`, and keeps what was taken."""

    def __init__(self, *, fails: float, seed: int) -> None:
        self._chance, self._fails = random.Random(seed), fails
        self._lock = threading.Lock()
        self.calls = 0
        self.refused = 0
        self._taken: Counter[tuple[Place, str]] = Counter()

    def take(self, path: str, webhook_id: str, body: dict[str, Any]) -> int:
        """Return the status that answers a call."""
        order = int(body["data"]["metadata"]["order"])
        with self._lock:
            self.calls += 1
            if self._chance.random() < self._fails:
                self.refused += 1
                return 500
            self._taken[(order, path), webhook_id] += 1
            return 204

    def taken(self) -> dict[tuple[Place, str], int]:
        """Return how often each hook was taken, by place and webhook id."""
        with self._lock:
            return dict(self._taken)

    def arrived(self) -> set[Place]:
        """Return which hooks were taken at least once."""
        with self._lock:
            return {place for place, _ in self._taken}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that was killed has cut its line: what this is all about.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Receiver:
    """The HTTP server before a tally."""

    def __init__(self, tally: Tally) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                status = tally.take(urlsplit(self.path).path, self.headers.get("webhook-id", ""), body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
