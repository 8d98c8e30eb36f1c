"""The demo's downstream service: receives signed HTTP hooks, verifies each signature, and fails once."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Delivery:
    """One received hook. `event` is None if its signature is not valid."""

    path: str
    webhook_id: str
    event: dict[str, Any] | None
    answer: int


class HookEndpoint:
    """An HTTP server on loopback that receives Standard Webhooks.

    It answers 204 if the signature is valid, else 401. The first hook on each of the paths in
    `failing_once` gets 503, as from a service that restarts.
    """

    def __init__(self, secret: str, *, failing_once: Collection[str] = ()) -> None:
        self._webhook = Webhook(secret)
        self._failing_once = set(failing_once)
        self._deliveries: list[Delivery] = []
        self._lock = threading.Lock()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            # Connections are kept, and an idle one is closed after a while.
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(endpoint.take(self.path, headers, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Return the base of the hook URLs."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Verify and keep one hook; returns the response status."""
        event: dict[str, Any] | None = None
        try:
            event = self._webhook.verify(body, headers)
        except WebhookVerificationError:
            answer = 401
        else:
            with self._lock:
                answer = 503 if path in self._failing_once else 204
                self._failing_once.discard(path)
        with self._lock:
            self._deliveries.append(Delivery(path, headers.get("webhook-id", ""), event, answer))
        return answer

    def deliveries(self) -> list[Delivery]:
        """Return the hooks received so far, oldest first."""
        with self._lock:
            return list(self._deliveries)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
