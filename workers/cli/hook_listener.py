"""A small receiver of hooks for development: prints each delivery, and passes it on if it is to."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Self

import click
import requests
import urllib3
from standardwebhooks import Webhook, WebhookVerificationError

from renderline.hooks.kind import USER_AGENT
from renderline.http import Client, origin
from workers.cli.errors import CommandError, ExitCode, plain, plain_lines
from workers.cli.session import Session

_MOST_BYTES: Final = 4 * 1024 * 1024
_TIMEOUT: Final = 15.0
_PASSED_ON: Final = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature", "x-request-id")


class Printer:
    """Writes deliveries to standard output and notes to standard error."""

    def __init__(self, session: Session) -> None:
        self._as_json = session.as_json
        self._lock = threading.Lock()

    def note(self, text: str) -> None:
        """Write a line about the command itself."""
        click.echo(plain(text), err=True)

    def delivery(self, event: Any, *, webhook_id: str, verified: bool | None, answer: str) -> None:
        """Write one delivery; `verified` is None if no secret is known, `answer` what became of it."""
        named = event if isinstance(event, dict) else {}
        data = named.get("data")
        render = data.get("id") if isinstance(data, dict) else None
        with self._lock:
            if self._as_json:
                shown = {"event": named.get("type"), "render": render, "webhook_id": webhook_id}
                click.echo(json.dumps({**shown, "verified": verified, "answer": answer, "body": event}))
                return
            proof = {True: "verified", False: "NOT VERIFIED", None: "not checked"}[verified]
            head = f"{datetime.now():%H:%M:%S}  {named.get('type')}  {render}  {proof}  {answer}  {webhook_id}"
            click.echo(plain(head))
            click.echo(plain_lines(json.dumps(event, indent=2, ensure_ascii=False)))


class Listener:
    """An HTTP server on the loopback address. It answers 204, or as the URL that it forwards to."""

    def __init__(self, port: int, secrets: Sequence[str], forward: str | None, printer: Printer) -> None:
        self._secrets, self._forward, self._printer = secrets, forward, printer
        self._client = Client(user_agent=USER_AGENT, allow_private=True)
        keeper = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = _TIMEOUT

            def do_POST(self) -> None:
                try:
                    length = int(self.headers.get("Content-Length", ""))
                except ValueError:
                    length = -1
                if not 0 <= length <= _MOST_BYTES:
                    self.close_connection = True
                    self._answer(411 if length < 0 else 413)
                    return
                self._answer(keeper._receive(dict(self.headers), self.rfile.read(length)))

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing: the printer does."""

        try:
            self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise CommandError(f"port {port} cannot be used: {error.strerror}", ExitCode.REFUSED) from None
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def serve(self) -> None:
        """Answer until the process is interrupted, or `stop` is called."""
        self._server.serve_forever(poll_interval=0.2)

    def stop(self) -> None:
        """End `serve`."""
        self._server.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def _receive(self, headers: Mapping[str, str], body: bytes) -> int:
        given = {name.lower(): value for name, value in headers.items()}
        try:
            event = json.loads(body)
        except ValueError:
            event = f"no JSON: {len(body)} bytes"
        status, answer = (204, "answered 204") if self._forward is None else self._pass_on(self._forward, given, body)
        verified = any(map(_verifies(given, body), self._secrets)) if self._secrets else None
        self._printer.delivery(event, webhook_id=given.get("webhook-id", ""), verified=verified, answer=answer)
        return status

    def _pass_on(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, str]:
        """Return the status of the answer, and what to say about it."""
        kept = {name: headers[name] for name in _PASSED_ON if name in headers}
        try:
            response = self._client.post(url, headers=kept, body=body, timeout=_TIMEOUT)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return 502, f"{origin(url)} was not reached: {type(error).__name__}"
        response.close()
        return response.status_code, f"{origin(url)} answered {response.status_code}"


def _verifies(headers: Mapping[str, str], body: bytes) -> Any:
    def verifies(secret: str) -> bool:
        try:
            Webhook(secret).verify(body, dict(headers))
        except (WebhookVerificationError, ValueError):
            return False
        return True

    return verifies
