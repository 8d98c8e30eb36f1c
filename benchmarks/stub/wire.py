"""HTTP/1.1 on a bare asyncio protocol: just enough for a benchmark's clients, kept-alive, with content lengths."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

Handler = Callable[[str, str, bytes], tuple[int, bytes]]
"""Takes method, path and body; returns status and JSON body."""

_REASONS = {200: b"OK", 204: b"No Content", 404: b"Not Found"}
_LENGTH = b"content-length:"


class Wire(asyncio.Protocol):
    """One connection: splits the input into requests and answers each after `latency` seconds."""

    def __init__(self, handler: Handler, latency: float) -> None:
        self._handler, self._latency = handler, latency
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the transport; unfinished answers are dropped."""
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Answer every complete request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            whole = end + 4 + _content_length(head)
            if len(self._buffer) < whole:
                return
            body, self._buffer = self._buffer[end + 4 : whole], self._buffer[whole:]
            method, path, _ = head[: head.find(b"\r\n")].decode("latin-1").split(" ", 2)
            answer = _answer(*self._handler(method, path, body))
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None:
            self._transport.write(answer)


def _content_length(head: bytes) -> int:
    at = head.lower().find(_LENGTH)
    return int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _answer(status: int, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, _REASONS.get(status, b"OK"), len(body)) + body
