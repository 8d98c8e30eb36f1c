"""One HTTP request and its response, on Tornado's HTTP server without its slower web framework."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from tornado.http1connection import HTTP1Connection
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from renderline.sandbox.multipart import FormReader, boundary_of
from renderline.sandbox.responses import Response

MAX_BODY_BYTES = 100 * 1024 * 1024
"""The longest body that is no form; forms are not kept in memory."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Exchange(HTTPMessageDelegate):
    """Collects a request, passes it on when complete, and sends the response, now or later."""

    def __init__(self, serve: Callable[[Exchange], None], connection: HTTPConnection) -> None:
        self._serve = serve
        self._connection = cast(HTTP1Connection, connection)
        self._chunks: list[bytes] = []
        self._size = 0
        self.form: FormReader | None = None
        self.method = ""
        self.path = ""
        self.query = ""
        self.headers = HTTPHeaders()

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """Receive the head of the request."""
        request = cast(RequestStartLine, start_line)
        self.method = request.method
        self.path, _, self.query = request.path.partition("?")
        self.headers = headers
        boundary = boundary_of(headers.get("Content-Type", ""))
        self.form = FormReader(boundary) if boundary is not None else None

    def data_received(self, chunk: bytes) -> None:
        """Receive a chunk of the body."""
        self._size += len(chunk)
        if self.form is not None:
            self.form.feed(chunk)
        elif self._size <= MAX_BODY_BYTES:
            self._chunks.append(chunk)

    def finish(self) -> None:
        """Process the complete request."""
        self._serve(self)

    def on_connection_close(self) -> None:
        """Do nothing: the client left before its request was complete."""

    @property
    def too_large(self) -> bool:
        """Whether the body was too long to be kept."""
        return self.form is None and self._size > MAX_BODY_BYTES

    @property
    def raw(self) -> bytes:
        """The body of the request; empty for a form."""
        return b"".join(self._chunks)

    def when_gone(self, action: Callable[[], None]) -> None:
        """Call this if the client leaves before its response is sent."""
        self._connection.set_close_callback(action)

    def send(self, answer: Response) -> None:
        """Send a response; does nothing if the client has left."""
        connection = self._connection
        if connection.stream is None or connection.stream.closed():
            return
        connection.set_close_callback(None)
        headers = HTTPHeaders({"Content-Type": answer.content_type, "Content-Length": str(len(answer.body))})
        for name, value in answer.headers:
            headers[name] = value
        line = ResponseStartLine("HTTP/1.1", answer.status, _REASONS.get(answer.status, "Unknown"))
        body = b"" if self.method == "HEAD" else answer.body
        if answer.cut_after is not None:
            done = connection.write_headers(line, headers, body[: answer.cut_after])
            done.add_done_callback(lambda _: self.cut())
            return
        connection.write_headers(line, headers, body)
        connection.finish()

    def cut(self) -> None:
        """Close the connection."""
        self._connection.close()


class ConnectionHandler(HTTPServerConnectionDelegate):
    """Makes an Exchange for each request of Tornado's HTTP server."""

    def __init__(self, serve: Callable[[Exchange], None]) -> None:
        self._serve = serve

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Return an exchange for the next request of a connection."""
        return Exchange(self._serve, request_conn)
