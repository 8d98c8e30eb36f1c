"""A TCP relay to Redis that loses answers: the command is executed, and the connection breaks before its answer."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import Self


class LossyProxy:
    """Relays to a port; a context manager. After `lose_next` the answer to the next script call is lost, once."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._armed = False
        self.lost = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def lose_next(self) -> None:
        """Lose the answer to the next script call that the server executes."""
        self._armed = True

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._to)) as far, suppress(OSError):
            # One command at a time: redis-py sends the next one only after the answer to the last.
            while request := near.recv(1 << 20):
                far.sendall(request)
                answer = far.recv(1 << 20)
                if self._armed and b"EVALSHA" in request and not answer.startswith(b"-NOSCRIPT"):
                    self._armed = False
                    self.lost += 1
                    return
                near.sendall(answer)
