"""One request on a connection: read whole, answered by the application in a thread, written within a time limit.

An upload is not read whole: the application gets it as it comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import CancelledError
from email.utils import formatdate
from io import BytesIO
from typing import Any, Final, Protocol

import structlog
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.iostream import StreamClosedError

from renderline.gateway.request_ids import HEADER, request_id_of
from renderline.gateway.server.body_stream import BodyStream
from renderline.gateway.server.environ import STREAMED, wsgi_environ
from renderline.gateway.server.limits import LINGER, ConnectionLimits
from renderline.gateway.server.threads import Threads

log = structlog.get_logger(__name__)

_UNLIMITED: Final = 1 << 62
_BUSY: Final = {"Content-Type": "application/problem+json", "Retry-After": "1"}
_BUSY_BODY: Final = json.dumps(
    {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "The gateway is receiving as many large bodies as it can.",
    }
).encode()
_NO_UPLOADS: Final = _BUSY_BODY.replace(b"large bodies", b"uploads")
_LONGEST_NUMBER: Final = 18
_RESET: Final = struct.pack("ii", 1, 0)
_STREAM: Final = "text/event-stream"


class Server(Protocol):
    """What a call needs of its server."""

    application: Callable[[dict[str, Any], Any], Iterable[bytes]]
    threads: Threads
    limits: ConnectionLimits
    body_limit: Callable[[str], int]
    streamed: Callable[[str], bool]
    address: tuple[str, int]
    loop: asyncio.AbstractEventLoop
    stopping: bool

    def has_room(self, count: int) -> bool:
        """Return whether a body of this size can be taken."""

    def hold(self, count: int) -> None:
        """Count bytes that are held in memory for a client; negative for those that are no longer."""


class Call(HTTPMessageDelegate):
    """A request and its answer. Everything but `_run` and `_stream` happens in the thread of the event loop."""

    def __init__(self, server: Server, connection: HTTP1Connection) -> None:
        self.waiting_since: float | None = time.monotonic()
        """Since when the client is waited for; None while the application works."""
        self.idle = True
        """No header has come yet."""
        self._server, self._connection, self._stream_of = server, connection, connection.stream
        self._body: list[bytes] = []
        self._held = 0
        self._size = 0
        self._limit = 0
        self._started = self._complete = self._written = False
        self._incoming: BodyStream | None = None
        self._environ: dict[str, Any] = {}
        self._status, self._headers = "", HTTPHeaders()

    @property
    def holds(self) -> bool:
        """Return whether it holds part of a body or of an answer in memory."""
        return self._held > 0

    def drop(self) -> None:
        """Close the connection at once; what the client has not read is discarded."""
        self.release()
        self._stop_reading()
        with contextlib.suppress(OSError, AttributeError):
            # Else the kernel keeps the unread bytes, megabytes of them, and the client learns nothing.
            self._stream_of.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._connection.close()

    def release(self) -> None:
        """Count what this call holds in memory no longer."""
        self._server.hold(-self._held)
        self._held = 0

    # Reading.

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> None:
        """Note the request; one that announces too large a body is answered without reading it."""
        assert isinstance(start_line, RequestStartLine)
        self.idle = False
        self.waiting_since = time.monotonic()
        context: Any = self._connection.context
        self._environ = wsgi_environ(
            start_line,
            headers,
            scheme=context.protocol,
            server=self._server.address,
            remote=context.remote_ip,
            disconnected=self._stream_of.closed,
        )
        self._limit = self._server.body_limit(self._environ["PATH_INFO"])
        # The application answers a body that is too large. Tornado would close the connection without a word.
        self._connection.set_max_body_size(_UNLIMITED)
        length = headers.get("Content-Length", "0")
        # A number of thousands of digits cannot be read: it is too large in any case.
        announced = int(length[:_LONGEST_NUMBER]) if length.isdecimal() else 0
        if announced > self._limit:
            self._start()
        elif self._server.streamed(self._environ["PATH_INFO"]):
            self._start_stream()
        elif not self._server.has_room(announced):
            self._refuse(_BUSY_BODY)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take a part of the body; of one that is too large no more than tells the application so."""
        if self._incoming is not None:
            return self._incoming.feed(chunk)
        if self._started:
            return None
        self._size += len(chunk)
        self._hold(len(chunk))
        self._body.append(chunk)
        if self._size > self._limit:
            self._start()
        return None

    def finish(self) -> None:
        """Answer a request that has been read whole."""
        self._complete = True
        if self._incoming is not None:
            self._incoming.end()
        if not self._started:
            self._start()
        elif self._written:
            self._connection.close()

    def on_connection_close(self) -> None:
        """Forget a request whose client has gone."""
        self.release()
        self._stop_reading()

    def _hold(self, count: int) -> None:
        self._held += count
        self._server.hold(count)

    def _start(self) -> None:
        self._started, self.waiting_since = True, None
        self._environ["wsgi.input"] = BytesIO(b"".join(self._body))
        self._body.clear()
        self._server.threads.run(self._environ["PATH_INFO"], self._run)

    def _start_stream(self) -> None:
        """Have the application read the body as it comes, if it has a thread for that."""
        if not self._server.threads.has_room_for_upload():
            self._refuse(_NO_UPLOADS)
            return
        limits = self._server.limits
        self._connection.set_body_timeout(limits.upload)
        self._incoming = BodyStream(self._server.loop, patience=limits.upload_pause)
        self._started, self.waiting_since = True, None
        self._environ["wsgi.input"] = self._incoming
        self._server.threads.run(self._environ["PATH_INFO"], self._run)

    def _refuse(self, body: bytes) -> None:
        self._started, self.waiting_since = True, None
        self._status, self._headers = "503 Service Unavailable", HTTPHeaders({**_BUSY, HEADER: self._request_id()})
        self._answer(body)

    def _request_id(self) -> str:
        """Return the id of a request that the application does not answer."""
        return request_id_of(self._environ.get("HTTP_X_REQUEST_ID"), self._environ.get("HTTP_TRACEPARENT"))

    def _stop_reading(self) -> None:
        if self._incoming is not None:
            self._incoming.stop()

    # In a thread.

    def _run(self) -> None:
        if self._stream_of.closed():
            return
        response: Iterable[bytes] | None = None
        try:
            response = self._server.application(self._environ, self._start_response)
            if self._is_streamed():
                stream, response = response, None
                self._server.threads.stream(lambda: self._stream(stream))
                return
            body = b"".join(response)
        except Exception:
            found = self._request_id()
            log.exception("request failed", request_id=found)
            self._status, self._headers, body = "500 Internal Server Error", HTTPHeaders({HEADER: found}), b""
        finally:
            _close(response)
        self._server.loop.call_soon_threadsafe(self._answer, body)

    def _is_streamed(self) -> bool:
        # The answer to HEAD has the type of a stream, and no parts.
        if self._environ["REQUEST_METHOD"] == "HEAD":
            return False
        return STREAMED in self._environ or self._headers.get("Content-Type", "").startswith(_STREAM)

    def _start_response(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[..., Any]:
        self._status, self._headers = status, HTTPHeaders()
        for name, value in headers:
            self._headers.add(name, value)
        return _no_write

    def _stream(self, response: Iterable[bytes]) -> None:
        """Send each part as it comes, until the application or the reader ends it."""

        def wait(sending: Any) -> None:
            asyncio.run_coroutine_threadsafe(sending, self._server.loop).result(self._server.limits.write)

        failed = True
        try:
            wait(self._write_head())
            for part in response:
                if part:
                    wait(self._write_part(part))
            wait(self._write_end())
            failed = False
        except (StreamClosedError, TimeoutError, CancelledError):
            pass  # the reader has gone, or does not read
        except Exception:
            log.exception("sending an answer failed")
        finally:
            _close(response)
            with contextlib.suppress(RuntimeError):
                self._server.loop.call_soon_threadsafe(self.drop if failed else self._connection.close)

    # Writing.

    def _head(self, *, close: bool) -> ResponseStartLine:
        code, _, reason = self._status.partition(" ")
        self._headers["Date"] = formatdate(usegmt=True)
        if close:
            self._headers["Connection"] = "close"
        return ResponseStartLine("HTTP/1.1", int(code), reason)

    def _answer(self, body: bytes) -> None:
        """Write the whole answer; the connection is closed if it is not read in time."""
        self._stop_reading()
        if self._stream_of.closed():
            self.release()
            return
        self.release()
        close = not self._complete or self._server.stopping
        start = self._head(close=close)
        if start.code not in (204, 304) and "Content-Length" not in self._headers:
            self._headers["Content-Length"] = str(len(body))
        self.waiting_since = time.monotonic()
        sent = self._connection.write_headers(start, self._headers, chunk=body)
        if sent.done():
            self._sent(close)
            return
        self._hold(len(body))
        limit = self._server.loop.call_later(self._server.limits.write, self.drop)

        def done(_: Any) -> None:
            limit.cancel()
            self.release()
            self._sent(close)

        sent.add_done_callback(done)

    def _sent(self, close: bool) -> None:
        self._written = True
        if self._stream_of.closed():
            return
        if self._complete:
            self._connection.finish()
            if close:
                self._connection.close()
            return
        with contextlib.suppress(OSError, AttributeError):
            self._stream_of.socket.shutdown(socket.SHUT_WR)
        self._server.loop.call_later(LINGER, self._connection.close)

    async def _write_head(self) -> None:
        await self._connection.write_headers(self._head(close=True), self._headers)

    async def _write_part(self, part: bytes) -> None:
        await self._connection.write(part)

    async def _write_end(self) -> None:
        if not self._stream_of.closed():
            self._connection.finish()


def _close(response: Any) -> None:
    if hasattr(response, "close"):
        response.close()


def _no_write(_: bytes) -> None:
    raise TypeError("the application must return its answer, not write it")
