"""One request and its answer on the wire, below Tornado's web framework to spare its cost per request."""

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

from renderline.sandbox.answers import Answer

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class Exchange(HTTPMessageDelegate):
    """Collects a request, has it served, and sends the answer, now or later."""

    def __init__(self, serve: Callable[[Exchange], None], connection: HTTPConnection) -> None:
        self._serve = serve
        self._connection = cast(HTTP1Connection, connection)
        self._chunks: list[bytes] = []
        self.method = ""
        self.path = ""
        self.query = ""
        self.headers = HTTPHeaders()

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> None:
        """The head of the request is here."""
        request = cast(RequestStartLine, start_line)
        self.method = request.method
        self.path, _, self.query = request.path.partition("?")
        self.headers = headers

    def data_received(self, chunk: bytes) -> None:
        """A piece of the body is here."""
        self._chunks.append(chunk)

    def finish(self) -> None:
        """The request is complete."""
        self._serve(self)

    def on_connection_close(self) -> None:
        """The client left before its request was complete: nothing to do."""

    @property
    def raw(self) -> bytes:
        """The body of the request."""
        return b"".join(self._chunks)

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Call back if the client leaves before it has its answer."""
        self._connection.set_close_callback(callback)

    def send(self, answer: Answer) -> None:
        """Send an answer; does nothing if the client has left."""
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
        """Close the line without a further word."""
        self._connection.close()


class Front(HTTPServerConnectionDelegate):
    """What Tornado's HTTP server asks for each request."""

    def __init__(self, serve: Callable[[Exchange], None]) -> None:
        self._serve = serve

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """An exchange for the next request of a connection."""
        return Exchange(self._serve, request_conn)
