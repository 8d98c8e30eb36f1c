"""HTTP answers whose time is bounded as a whole, where `requests` bounds every single read anew.

A server that sends a byte every few seconds, of headers or of a short answer, would keep a thread for days.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

HEAD_BYTES = 256 * 1024
"""What the status line and the headers may take; http.client by itself takes a hundred lines of 64 KiB each."""


def bound(pools: PoolManager, *, whole: bool) -> None:
    """Make the read timeout of every request through these pools hold for all headers, if `whole` for the body too."""
    pools.pool_classes_by_scheme = _WHOLE if whole else _HEAD


class _BoundedReads(io.RawIOBase):
    """Reads of a socket whose timeout holds for all of them together, not for each anew; the head has a size too."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._end = None if self._timeout is None else time.monotonic() + self._timeout
        self._head_left: int | None = HEAD_BYTES

    def head_is_read(self, *, whole: bool) -> None:
        """From here on nothing is counted, and unless `whole` each read has the timeout for itself."""
        self._head_left = None
        if not whole:
            self._end = None
            self._sock.settimeout(self._timeout)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._head_left is not None and self._head_left <= 0:
            raise http.client.HTTPException("the headers are too long")
        count = self._within_time(buffer)
        if self._head_left is not None:
            self._head_left -= count or 0
        return count

    def _within_time(self, buffer: Any) -> int | None:
        if self._end is None:
            return self._raw.readinto(buffer)
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            # The connection may be used again: what was left of this answer's time is not its new timeout.
            self._sock.settimeout(self._timeout)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _HeadResponse(http.client.HTTPResponse):
    """An answer whose status line and headers must be there within the connection's read timeout."""

    whole = False

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._reads = _BoundedReads(self.fp.detach(), sock)
        self.fp = io.BufferedReader(self._reads)

    def begin(self) -> None:
        """Read status line and headers."""
        super().begin()
        self._reads.head_is_read(whole=self.whole)


class _WholeResponse(_HeadResponse):
    """An answer that must be there whole, status line to last byte, within the connection's read timeout."""

    whole = True


def _pool_classes(response: type[_HeadResponse]) -> dict[str, Any]:
    """Return the classes of connection pools, by scheme, whose answers are read as that class says."""

    class Connection(HTTPConnection):
        response_class = response

    class TLSConnection(HTTPSConnection):
        response_class = response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    return {"http": Pool, "https": TLSPool}


_HEAD, _WHOLE = _pool_classes(_HeadResponse), _pool_classes(_WholeResponse)
