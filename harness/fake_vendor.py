"""A small v3 vendor over real HTTP, in the test's own process. A test can override every answer.

It records which projects were created, exported and deleted, and how often each call came.
"""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

ROOT = "/api/odin/v3"


class Answer(NamedTuple):
    """An HTTP answer: status, headers, body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Drop(Exception):
    """Raised by an override: the connection is closed without an answer."""


Override = Callable[["Call"], Answer | None]
"""Returns the answer to give instead of the usual one, or None. It may sleep, raise `Drop` or call `Call.answer`."""


@dataclass(frozen=True)
class Call:
    """One request. `name` is token, auth, draft, list, delete, export, progress, project, file or the path."""

    vendor: FakeVendor
    name: str
    key: str | None
    body: dict[str, Any]
    headers: Mapping[str, str]

    def answer(self) -> Answer:
        """Process the call and return the usual answer."""
        return self.vendor.answer(self)


@dataclass
class VendorProject:
    """A project at the vendor. `exported_at` is None for a draft; `exports` counts its paid renders."""

    id: str
    name: str
    body: dict[str, Any]
    exported_at: float | None = None
    exports: int = 0
    deleted: bool = False


@dataclass
class FakeVendor:
    """The vendor; a context manager. A render takes `render_seconds`. `override` may be replaced at any time."""

    render_seconds: float = 0.5
    override: Override = lambda _: None
    list_shows_drafts: bool = True
    projects: dict[str, VendorProject] = field(default_factory=dict)
    """Every project ever created, deleted ones too."""
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._lock = threading.RLock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def exports_of(self, render_id: str) -> int:
        """Return how many paid renders were started over all projects that carry the render's id."""
        with self._lock:
            return sum(one.exports for one in self.projects.values() if render_id in one.name)

    def handle(self, call: Call) -> Answer:
        """Count the call and return the override or the usual answer."""
        with self._lock:
            self.calls[call.name] += 1
        override = self.override(call)
        return call.answer() if override is None else override

    def answer(self, call: Call) -> Answer:
        """Process a call and return the usual answer."""
        with self._lock:
            match call.name:
                case "token":
                    return success({"token": f"token-{self.calls['token']}"})
                case "auth":
                    return success({"isAuthenticated": True})
                case "draft":
                    return self._create(call.body)
                case "list":
                    return success([self._row(one) for one in self.projects.values() if self._listed(one)])
                case "delete":
                    return success({"deletedCount": self._delete(call.body.get("ids", []))})
                case "file":
                    return Answer(200, {"Content-Type": "video/mp4"}, f"video of {call.key}".encode())
                case "export" | "progress" | "project":
                    one = self.projects.get(call.key or "")
                    if one is None or one.deleted:
                        return failure(404, "404", "no such project")
                    return getattr(self, f"_{call.name}")(one)
        return failure(404, "404", "no such call")

    def _create(self, body: dict[str, Any]) -> Answer:
        made = VendorProject(f"p{len(self.projects) + 1:06d}", str(body.get("name", "")), body)
        self.projects[made.id] = made
        if body.get("isExport", True):
            self._start(made)
        return success({"projectId": made.id})

    @staticmethod
    def _start(one: VendorProject) -> None:
        one.exports += 1
        one.exported_at = one.exported_at or time.monotonic()

    def _delete(self, ids: list[str]) -> int:
        found = [self.projects[one] for one in ids if one in self.projects and not self.projects[one].deleted]
        for one in found:
            one.deleted = True
        return len(found)

    def _listed(self, one: VendorProject) -> bool:
        return not one.deleted and (self.list_shows_drafts or one.exports > 0)

    def _percent(self, one: VendorProject) -> float:
        if one.exported_at is None:
            return 0.0
        return min(100.0, 100.0 * (time.monotonic() - one.exported_at) / self.render_seconds)

    def _state(self, one: VendorProject) -> str:
        if one.exported_at is None:
            return "draft"
        return "exported" if self._percent(one) >= 100 else "exporting"

    def _url(self, one: VendorProject) -> str | None:
        return f"{self.url}/files/{one.id}.mp4" if self._percent(one) >= 100 else None

    def _row(self, one: VendorProject) -> dict[str, Any]:
        return {"id": one.id, "name": one.name, "state": self._state(one), "download_url": self._url(one)}

    def _export(self, one: VendorProject) -> Answer:
        self._start(one)
        return success({"projectId": one.id})

    def _progress(self, one: VendorProject) -> Answer:
        return success({"progress": self._percent(one), "state": self._state(one), "downloadUrl": self._url(one)})

    def _project(self, one: VendorProject) -> Answer:
        started = one.exported_at is not None
        return success(
            {
                "_id": one.id,
                "name": one.name,
                "state": self._state(one),
                "progress": self._percent(one),
                "backendTaskId": f"task-{one.id}" if started else None,
                "creditSubstracted": started,
                "download_url": self._url(one),
            }
        )


def success(data: Any) -> Answer:
    """Return the vendor's envelope of a success."""
    return _json(200, {"success": True, "data": data})


def failure(status: int, code: str, message: str) -> Answer:
    """Return the vendor's envelope of a failure."""
    return _json(status, {"success": False, "error": {"code": code, "msg": message}})


def _json(status: int, body: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(body).encode())


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_: Any) -> None:
        """A client that disconnected is no error of the test."""


def _name(method: str, path: str, body: dict[str, Any]) -> tuple[str, str | None]:
    """Return the name of a call and the key of its project."""
    match method, path.strip("/").split("/"):
        case "POST", ["auth", "token"]:
            return "token", None
        case "GET", ["auth"]:
            return "auth", None
        case "POST", ["editor", "project", "export"]:
            return "export", body.get("projectId")
        case _, ["editor", "project"]:
            return {"POST": "draft", "GET": "list", "DELETE": "delete"}.get(method, path), None
        case "GET", ["editor", ("progress" | "project") as name, key]:
            return name, key
        case "GET", ["files", key]:
            return "file", key.removesuffix(".mp4")
    return path, None


def _handler(vendor: FakeVendor) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else {}
            name, key = _name(self.command, self.path.partition("?")[0].removeprefix(ROOT), body)
            try:
                answer = vendor.handle(Call(vendor, name, key, body, dict(self.headers)))
            except Drop:
                self.close_connection = True
                return
            try:
                self.send_response(answer.status)
                for header, value in answer.headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except OSError:
                self.close_connection = True  # the client disconnected

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
