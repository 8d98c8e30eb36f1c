"""The other service of the demo: receives signed callbacks, checks each signature, and is out of order once."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass(frozen=True)
class Callback:
    """One callback as it came in. `event` is None when its signature did not hold."""

    path: str
    webhook_id: str
    event: dict[str, Any] | None
    answer: int


class Receiver:
    """An HTTP server on this machine that takes Standard Webhooks.

    It answers 204 to a callback whose signature holds and 401 to others; the first one on each of the paths in
    `unwell` gets 503, as from a service that is being restarted.
    """

    def __init__(self, secret: str, *, unwell: Collection[str] = ()) -> None:
        self._webhook = Webhook(secret)
        self._unwell = set(unwell)
        self._callbacks: list[Callback] = []
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            # Connections are kept, and an idle one is closed after a while.
            protocol_version = "HTTP/1.1"
            timeout = 30

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                self.send_response(receiver.take(self.path, headers, body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Return the base of the callback addresses."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, path: str, headers: dict[str, str], body: bytes) -> int:
        """Check and keep one callback; returns the status of the answer."""
        event: dict[str, Any] | None = None
        try:
            event = self._webhook.verify(body, headers)
        except WebhookVerificationError:
            answer = 401
        else:
            with self._lock:
                answer = 503 if path in self._unwell else 204
                self._unwell.discard(path)
        with self._lock:
            self._callbacks.append(Callback(path, headers.get("webhook-id", ""), event, answer))
        return answer

    def callbacks(self) -> list[Callback]:
        """Return what came in so far, oldest first."""
        with self._lock:
            return list(self._callbacks)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
