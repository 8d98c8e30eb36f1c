"""An HTTP server that receives hooks."""

from __future__ import annotations

import http.server
import json
import queue
import threading
from collections.abc import Callable
from typing import Any, Self


class HookEndpoint:
    """An HTTP server that records the requests and answers with the status of `answer` (204 by default)."""

    def __init__(self, answer: Callable[[dict[str, Any]], int] = lambda _: 204, *, port: int = 0) -> None:
        received: queue.Queue[tuple[dict[str, str], bytes]] = queue.Queue()
        self.bodies: list[dict[str, Any]] = []
        self.received = received
        self.answer = answer
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.loads(raw)
                keeper.bodies.append(body)
                received.put((dict(self.headers), raw))
                self.send_response(keeper.answer(body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/done"

    def take(self, seconds: float = 60.0) -> tuple[dict[str, str], bytes]:
        """Wait for the next delivery and return it (headers, body)."""
        return self.received.get(timeout=seconds)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self.close()

    def close(self) -> None:
        """Stop listening, without having been entered."""
        self._server.server_close()
