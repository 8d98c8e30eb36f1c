"""Clients that hold connections: half a header, a dripped body, an answer that is never read, and more."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections import Counter
from typing import Final, Self

_HEAD: Final = b"POST /v1/renders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_GET: Final = b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

KINDS: Final[dict[str, bytes]] = {
    "half a header": b"GET /v1/renders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
    "dripped header": _HEAD,
    "dripped body": _HEAD + b"Content-Length: 1000\r\n\r\n{",
    "unsent body": _HEAD + b"Content-Length: 1000\r\n\r\n",
    "unread answer": _GET % b"/openapi.json" * 60,
    "idle": _GET % b"/healthz",
}
"""What each kind of client sends first."""

_DRIPPING: Final = ("dripped header", "dripped body")
_CLOSED: Final = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class HostileClients:
    """`each` connections of every kind, held until the end; one that the server closes is counted and opened again.

    `opened` and `closed` count by kind. A dripping client sends a byte every `drip` seconds.
    """

    def __init__(
        self, port: int, *, each: int, kinds: tuple[str, ...] = tuple(KINDS), drip: float = 1.0, again: bool = True
    ) -> None:
        self.opened: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self._port, self._each, self._kinds, self._drip, self._again = port, each, kinds, drip, again
        self._held: dict[int, tuple[str, socket.socket]] = {}
        self._poll = select.poll()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._hold)

    def __enter__(self) -> Self:
        for kind in self._kinds:
            for _ in range(self._each):
                self._open(kind)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for _, client in self._held.values():
            client.close()

    def _open(self, kind: str) -> None:
        client = socket.socket()
        # A small window: an unread answer soon fills it.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(5)
        with contextlib.suppress(OSError):
            client.connect(("127.0.0.1", self._port))
            client.setblocking(False)
            client.send(KINDS[kind])
            self._held[client.fileno()] = kind, client
            self._poll.register(client, _CLOSED)
            self.opened[kind] += 1
            return
        client.close()

    def _hold(self) -> None:
        while not self._ended.wait(self._drip):
            for descriptor, _ in self._poll.poll(0):
                kind, client = self._held.pop(descriptor)
                self._poll.unregister(client)
                client.close()
                self.closed[kind] += 1
                if self._again:
                    self._open(kind)
            for kind, client in list(self._held.values()):
                if kind in _DRIPPING:
                    with contextlib.suppress(OSError):
                        client.send(b"a")
