"""The gateway as a process, as in production, and a reader of its event streams."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import requests

from harness.fork_server import ForkedServer
from harness.ports import free_port
from harness.processes import Server
from harness.samples import HOOK_SECRET, USER_KEY, a_request


def gateway_command(port: int, *, threads: int) -> list[str]:
    """Return the gateway's command, as in the Procfile."""
    gunicorn = str(Path(sys.executable).with_name("gunicorn"))
    command = [gunicorn, "--no-control-socket", "--threads", str(threads), "--bind", f"127.0.0.1:{port}"]
    return [*command, "workers.gateway:create()"]


class Event(NamedTuple):
    """One server-sent event, or a comment (then `event` is empty)."""

    id: str
    event: str
    data: Any
    comment: str = ""


class Stream:
    """An open event stream."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self._lines = response.iter_lines(decode_unicode=True, chunk_size=1)

    def __iter__(self) -> Iterator[Event]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line:
                name, _, value = line.partition(": ")
                fields[name or "comment"] = value
            elif fields:
                data = json.loads(fields["data"]) if "data" in fields else None
                comment = fields.get("comment", line if fields.get("") else "")
                yield Event(fields.get("id", ""), fields.get("event", ""), data, comment)
                fields = {}

    def take(self) -> Event:
        """Return the next event; comments are skipped."""
        return next(event for event in self if not event.comment)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()


class GatewayProcess(Server):
    """The gateway under gunicorn; without API keys unless the environment asks for them."""

    def __init__(self, log: Path, *, threads: int = 16, **environ: str) -> None:
        port = free_port()
        settings = {
            "RENDERLINE_API_KEYS_REQUIRED": "false",
            "RENDERLINE_GATEWAY_THREADS": str(threads),
            "RENDERLINE_STORAGE_URL": (log.parent / "videos").as_uri(),
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "AISTUDIOS_APP_ID": "studioV3.tests",
            "AISTUDIOS_USER_KEY": USER_KEY,
            **environ,
        }
        super().__init__(gateway_command(port, threads=threads), port=port, log=log, environ=settings)
        self._session = requests.Session()
        self._session.trust_env = False
        self.wait_ready()

    def stop(self, seconds: float = 60.0) -> int:
        """Send SIGTERM, and return the exit code."""
        self._session.close()
        return super().stop(seconds)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Make a call, with a JSON body if one is given."""
        options.setdefault("timeout", 30)
        answer = self._session.request(method, f"{self.url}{path}", json=body, **options)
        if answer.status_code == 413:
            # The rest of the body is not sent: the gateway closes the connection.
            self._session.close()
        return answer

    def submit(self, request: dict[str, Any], *, key: str | None = None) -> requests.Response:
        """Post a render request."""
        return self.ask("POST", "/v1/renders", request, headers={"Idempotency-Key": key} if key else {})

    def accept(self, request: dict[str, Any] | None = None, *, key: str | None = None) -> str:
        """Post a render request, assert that it is accepted, and return the render's id."""
        answer = self.submit(request or a_request(), key=key)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def follow(self, path: str, *, after: str | None = None) -> Stream:
        """Open an event stream."""
        headers = {"Last-Event-ID": after} if after else {}
        answer = requests.get(f"{self.url}{path}", headers=headers, stream=True, timeout=30)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        return Stream(answer)


class ForkedGateway(GatewayProcess, ForkedServer):
    """The gateway under gunicorn, forked from a process that has imported it: it starts with a fifth of the work."""


def assert_problem(answer: requests.Response, status: int, *paths: str) -> dict[str, Any]:
    """Assert that an answer is the problem document of that status with errors at exactly these paths; return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert {error["path"] for error in body.get("errors", ())} == set(paths), body
    return body
