"""The TCP proxy that tests put between a client and its server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from harness.tcp_proxy import TcpProxy


@contextmanager
def server(word: bytes) -> Iterator[int]:
    """A server that answers every byte with a word; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            while connection.recv(1):
                connection.sendall(word)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def ask(connection: socket.socket) -> bytes:
    connection.sendall(b"?")
    return connection.recv(10)


def test_a_line_led_elsewhere_keeps_its_connections_and_a_cut_one_none() -> None:
    with server(b"one") as one, server(b"two") as two:
        proxy = TcpProxy(one)
        old = socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
        assert ask(old) == b"one"
        proxy.redirect_to(two)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as new:
            assert (ask(old), ask(new)) == (b"one", b"two")
            proxy.cut()
            assert (old.recv(10), new.recv(10)) == (b"", b"")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=60)
        old.close()
