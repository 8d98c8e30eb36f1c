"""The hook endpoints of an attack, and a canary: they record every call that reaches them."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self


class Delivery(NamedTuple):
    """One received hook: its headers, its raw body, and the epoch seconds of its arrival."""

    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def record(self) -> dict[str, Any]:
        """The render's record in it."""
        found: dict[str, Any] = json.loads(self.raw)["data"]
        return found


class Receiver:
    """An HTTP server with an endpoint at every path, which answers 204."""

    def __init__(self) -> None:
        self._got: dict[str, list[Delivery]] = defaultdict(list)
        self._redirects: dict[str, str] = {}
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                keeper._got[self.path].append(Delivery(dict(self.headers), raw, time.time()))
                self.send_response(204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                keeper._got[self.path].append(Delivery(dict(self.headers), b"", time.time()))
                if self.path in keeper._redirects:
                    self.send_response(302)
                    self.send_header("Location", keeper._redirects[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "video/mp4")
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"canary")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def url(self, path: str) -> str:
        """Return the URL of the endpoint at this path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def got(self, path: str) -> Sequence[Delivery]:
        """Return what the endpoint at this path has received."""
        return tuple(self._got[path])

    def count(self) -> int:
        """Return how many calls all endpoints have received."""
        return sum(map(len, self._got.values()))

    @contextlib.contextmanager
    def redirecting(self, place: str) -> Iterator[str]:
        """Yield a path that redirects to `place`."""
        path = f"/redirect-{time.time_ns()}"
        self._redirects[path] = place
        try:
            yield path
        finally:
            del self._redirects[path]

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
