"""A TCP proxy that can be cut, and redirected while old connections stay."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from harness import free_port


class TcpProxy:
    """Relays a port of its own to the port `to`. After `cut` its port is closed until `mend`."""

    def __init__(self, to: int) -> None:
        self.port, self._to = free_port(), to
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.mend()

    def mend(self) -> None:
        """Open the port."""
        self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def redirect_to(self, port: int) -> None:
        """Relay new connections to another port; existing ones stay."""
        self._to = port

    def cut(self, *, close: bool = True) -> None:
        """Break every connection; with `close` the port is closed too."""
        if close and self._listener:
            # Closing alone is not enough: a thread in accept() would keep it open.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._to), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            with self._lock:
                self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    # Shut down both, so that the other direction's thread ends too; each thread closes its own end.
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    one.close()
