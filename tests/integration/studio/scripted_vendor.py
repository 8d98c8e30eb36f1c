"""A vendor that sends scripted lines: a real HTTP server on a real socket, one step per request."""

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Step = Callable[["_Handler"], None]


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    connection: int

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "ScriptedVendor"

    def setup(self) -> None:
        super().setup()
        self.number = self.server.opened()

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, self.path, dict(self.headers), raw, self.number))
        try:
            step = self.server.steps.popleft()
        except IndexError:
            step = reply({"success": False, "error": {"code": "SCRIPT", "msg": "the script is over"}}, status=599)
        try:
            step(self)
        except OSError:
            self.close_connection = True  # the client has gone

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


class ScriptedVendor(ThreadingHTTPServer):
    """Answers the n-th request with the n-th step and keeps what it saw."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.steps: deque[Step] = deque()
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self.connections = 0
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def opened(self) -> int:
        with self._lock:
            self.connections += 1
            return self.connections

    def will(self, *steps: Step) -> None:
        self.steps.extend(steps)

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def scripted_vendor() -> Iterator[ScriptedVendor]:
    """Serve from a thread of its own."""
    server = ScriptedVendor()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def reply(
    body: Any = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content: bytes | None = None,
    close: bool = False,
) -> Step:
    """Answer with `body` as JSON, or with `content` as it stands; `close` ends the connection afterwards."""

    def step(handler: _Handler) -> None:
        payload = json.dumps(body).encode() if content is None else content
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(payload)))
        handler.end_headers()
        handler.wfile.write(payload)
        handler.close_connection = close

    return step


def good(data: Any) -> Step:
    return reply({"success": True, "data": data})


def bad(code: Any, message: str, *, status: int = 200) -> Step:
    return reply({"success": False, "error": {"code": code, "msg": message}}, status=status)


def raw(content: bytes) -> Step:
    """Send these bytes as the whole answer and end the connection."""

    def step(handler: _Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(content)

    return step


def hang_up(handler: _Handler) -> None:
    """End the connection without a word, as a server does whose keep-alive time is over."""
    handler.close_connection = True


def reset(handler: _Handler) -> None:
    """Reset the connection without a word."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def no_answer(handler: _Handler) -> None:
    """Say nothing until the test is over."""
    handler.close_connection = True
    handler.server.released.wait(30)


def dribble(start: bytes, piece: bytes) -> Step:
    """Send `start`, then `piece` over and over, slowly enough to be never done and fast enough to be never late."""

    def step(handler: _Handler) -> None:
        handler.close_connection = True
        handler.wfile.write(start)
        while not handler.server.released.wait(0.02):
            handler.wfile.write(piece)

    return step
