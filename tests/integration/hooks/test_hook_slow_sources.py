"""Sources of videos that never come to an end: each part of a download has its limit."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from renderline.hooks import Delivery, DownloadHook, HookFailed
from renderline.http.exchange import HEAD_BYTES

Script = Callable[[socket.socket], None]
MEGABYTE = b"z" * (1 << 20)
END = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5\r\n\r\nvideo"


class Source:
    """A server of raw bytes: each connection is given to `script`; `sent` counts what was taken of it."""

    def __init__(self, script: Script) -> None:
        self.script, self.sent, self.closed = script, 0, threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v.mp4"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            self.script(connection)
        self.closed.set()

    def send(self, connection: socket.socket, data: bytes) -> None:
        connection.sendall(data)
        self.sent += len(data)

    def stop(self) -> None:
        self._socket.close()


@pytest.fixture
def source() -> Iterator[Callable[[Callable[[Source, socket.socket], None]], Source]]:
    made: list[Source] = []

    def new(script: Callable[[Source, socket.socket], None]) -> Source:
        made.append(Source(lambda connection: script(made[-1], connection)))
        return made[-1]

    yield new
    for one in made:
        one.stop()


def download(url: str, folder: Path, **limits: float) -> None:
    hook = DownloadHook(folder.as_uri(), **limits)  # type: ignore[arg-type]
    record = {"id": "r1", "name": "Hello", "download_url": url}
    hook.deliver({"type": "download"}, Delivery("render.completed", "msg_1", time.time(), record))


def test_headers_that_dribble_hold_no_thread(source, tmp_path: Path) -> None:
    def dribble(here: Source, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _ in range(30):
            here.send(connection, b"a")
            time.sleep(0.1)
        connection.sendall(b"\r\n" + END.partition(b"\r\n")[2])

    here = source(dribble)
    with pytest.raises(HookFailed, match="did not answer in time"):
        download(here.url, tmp_path, read_timeout=0.5)
    assert here.closed.wait(60)
    assert here.sent < 30


def test_headers_that_do_not_end_take_no_memory(source, tmp_path: Path) -> None:
    def flood(here: Source, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(90):
            here.send(connection, b"X-%d: " % number + b"a" * 60_000 + b"\r\n")
        connection.sendall(END.partition(b"\r\n")[2])

    here = source(flood)
    with pytest.raises(HookFailed, match="was not reached"):
        download(here.url, tmp_path)
    assert 10 * HEAD_BYTES < 90 * 60_000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_body_of_a_redirect_is_not_read(source, tmp_path: Path, status: int) -> None:
    goal = source(lambda _, connection: connection.sendall(END))

    def redirect(here: Source, connection: socket.socket) -> None:
        connection.sendall(
            f"HTTP/1.1 {status} {http.client.responses[status]}\r\nLocation: {goal.url}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for _ in range(64):
            here.send(connection, b"100000\r\n" + MEGABYTE + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    here = source(redirect)
    download(here.url, tmp_path)
    assert (tmp_path / "r1.mp4").read_bytes() == b"video"
    assert here.closed.wait(60)
    # No more than what the sockets hold by themselves.
    assert here.sent < 32 * len(MEGABYTE)


def test_redirects_that_dribble_share_the_time_of_one_download(source, tmp_path: Path) -> None:
    def around(here: Source, connection: socket.socket) -> None:
        time.sleep(0.4)
        connection.sendall(f"HTTP/1.1 302 Found\r\nLocation: {here.url}\r\nContent-Length: 0\r\n\r\n".encode())
        here.send(connection, b"")
        here.hops += 1  # type: ignore[attr-defined]

    here = source(around)
    here.hops = 0  # type: ignore[attr-defined]
    with pytest.raises(HookFailed, match="did not answer in time"):
        download(here.url, tmp_path, read_timeout=60, total_timeout=1.0)
    assert here.hops <= 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("length", [b"9" * 5000, b"\xb2", b"-5", b"5, 5", b"0x5"])
def test_a_length_that_is_no_number_fails_no_download(source, tmp_path: Path, length: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nConnection: close\r\nContent-Length: " + length
    here = source(lambda here, connection: here.send(connection, head + b"\r\n\r\nvideo"))
    download(here.url, tmp_path)
    assert (tmp_path / "r1.mp4").read_bytes() == b"video"
