"""A proxy before Redis that makes the connection of a worker's queues go deaf, and no other."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Literal

from harness.ports import free_port

Way = Literal["frozen", "lying"]
"""`frozen`: nothing passes any more, in either direction; `lying`: each BRPOP is answered with nothing."""

_NOTHING = b"*-1\r\n"


class DeafProxy:
    """Relays a port of its own to the port `to`. A connection on which BRPOP was sent is one of a worker's queues."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self._lock = threading.Lock()
        self._consuming: list[_Relay] = []
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def consuming(self) -> int:
        """Connections of queues that still deliver."""
        with self._lock:
            return sum(relay.way is None and not relay.ended for relay in self._consuming)

    def deafen(self, way: Way) -> int:
        """Make every connection of queues deaf; later ones deliver. Returns how many it were."""
        with self._lock:
            fresh = [relay for relay in self._consuming if relay.way is None and not relay.ended]
            for relay in fresh:
                relay.way = way
            return len(fresh)

    def close(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to), timeout=5)
            far.settimeout(None)
            relay = _Relay(near, far, self._note)
            for run in (relay.to_server, relay.to_client):
                threading.Thread(target=run, daemon=True).start()

    def _note(self, relay: _Relay) -> None:
        with self._lock:
            self._consuming.append(relay)


class _Relay:
    def __init__(self, near: socket.socket, far: socket.socket, consumes: object) -> None:
        self._near, self._far, self._consumes = near, far, consumes
        self.way: Way | None = None
        self.ended = False
        self._noted = False

    def to_server(self) -> None:
        """Pass on what the worker sends."""
        with suppress(OSError):
            while data := self._near.recv(65536):
                if b"BRPOP" in data and not self._noted:
                    self._noted = True
                    self._consumes(self)  # type: ignore[operator]
                if self.way == "frozen":
                    continue
                if self.way == "lying" and b"BRPOP" in data:
                    time.sleep(0.2)
                    self._near.sendall(_NOTHING)
                    continue
                self._far.sendall(data)
        self._end()

    def to_client(self) -> None:
        """Pass on what the server sends."""
        with suppress(OSError):
            while data := self._far.recv(65536):
                if self.way == "frozen":
                    continue
                if self.way == "lying":
                    # The answer to the BRPOP that was under way: a message in it is lost.
                    data = _NOTHING
                self._near.sendall(data)
        self._end()

    def _end(self) -> None:
        self.ended = True
        for end in (self._near, self._far):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
