"""A snapshot of the whole server, over the connection: the server's own RDB file, as a replica gets it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any, Protocol

from redis import Redis, RedisError

_CHUNK = 256 * 1024
_PATIENCE = 600.0
"""Seconds without a byte after which the server is given up. While it makes the snapshot, it sends line ends."""
_MAGIC = (b"REDIS", b"VALKEY")


class SnapshotRefused(Exception):
    """The server gave no snapshot, or not a whole one. No file was written."""


class _Socket(Protocol):
    def recv(self, size: int, /) -> bytes: ...

    def settimeout(self, seconds: float | None, /) -> None: ...


def write_snapshot(redis: Redis, file: Path) -> int:
    """Write a snapshot to a file that only this user may read; returns its bytes.

    Raises `SnapshotRefused`, and `redis.RedisError` if the server cannot be reached. The file appears whole or not
    at all.
    """
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as output:
            size = _transfer(redis, output)
            output.flush()
            os.fsync(output.fileno())
        Path(name).replace(file)
        return size
    finally:
        Path(name).unlink(missing_ok=True)


def _transfer(redis: Redis, output: Any) -> int:
    # A connection of its own: afterwards the server goes on sending what it sends replicas.
    pool: Any = redis.connection_pool
    connection = pool.make_connection()
    try:
        connection.connect()
        try:
            connection.send_command("REPLCONF", "rdb-only", "1")
            connection.read_response()
        except RedisError:
            pass  # an older server, which sends its commands after the snapshot
        connection.send_command("SYNC")
        socket: _Socket = connection._sock
        socket.settimeout(_PATIENCE)
        return _Transfer(socket).write(output)
    except OSError as error:
        raise SnapshotRefused(f"the snapshot broke off: {error}") from None
    finally:
        connection.disconnect()


class _Transfer:
    """Reads a snapshot as the server sends it: its length and so many bytes, or a mark that stands at its end too."""

    def __init__(self, socket: _Socket) -> None:
        self._socket, self._buffer = socket, b""

    def write(self, output: Any) -> int:
        """Write the snapshot; returns its bytes."""
        head = self._line()
        if not head.startswith(b"$"):
            raise SnapshotRefused(f"the server gives no snapshot: {head.decode(errors='replace').lstrip('-')}")
        if head.startswith(b"$EOF:"):
            return self._until(head[5:], output)
        return self._bytes(int(head[1:]), output)

    def _line(self) -> bytes:
        while True:
            line, found, rest = self._buffer.partition(b"\n")
            if not found:
                self._buffer += self._receive()
                continue
            self._buffer = rest
            if line.strip():
                return line.strip()

    def _bytes(self, length: int, output: Any) -> int:
        left, first = length, True
        while left:
            part = self._buffer or self._receive()
            self._buffer = b""
            if first:
                part = self._checked(part)
                first = False
            output.write(part[:left])
            left -= len(part[:left])
        return length

    def _until(self, mark: bytes, output: Any) -> int:
        size, held = 0, self._checked(self._buffer)
        self._buffer = b""
        while not held.endswith(mark):
            keep = held[-len(mark) :]
            output.write(held[: -len(mark)])
            size += len(held) - len(keep)
            held = keep + self._receive()
        output.write(held[: -len(mark)])
        return size + len(held) - len(mark)

    def _checked(self, start: bytes) -> bytes:
        while len(start) < max(map(len, _MAGIC)):
            start += self._receive()
        if not start.startswith(_MAGIC):
            raise SnapshotRefused("what the server sent is no snapshot")
        return start

    def _receive(self) -> bytes:
        part = self._socket.recv(_CHUNK)
        if not part:
            raise SnapshotRefused("the server closed the connection before the snapshot was complete")
        return part
