"""The vendor client's sockets: they know when the first byte left, how long they stood idle, and when to stop reading.

Four things decide whether a call that costs money may be repeated, and neither requests nor urllib3 tells them:

* *Was anything sent?* A refused connection, a failed TLS handshake and a reset after sending all arrive as
  `requests.ConnectionError`. Here the connection itself notes the moment it hands the first byte to the socket.
* *Was the connection stale?* A server may close an idle keep-alive connection while our request is on its way; that
  looks exactly like a server that died while working. urllib3 drops connections whose end it has already seen, but the
  race remains, so a call with a side effect takes only a connection that was in use a moment ago, or a new one.
* *Will it ever end?* Read timeouts count from byte to byte, so a server that dribbles holds a call for ever. Here
  every read, of headers too, is cut to what is left of the exchange's total.
* *Is it still wanted?* A process may be stopped for minutes right before it sends, while another takes its work over. A
  call made under `sent_by` looks at the clock as the last thing before each write, and does not send too late.

Nothing is ever sent twice: the adapter has no retries, and urllib3 repeats nothing with retries at 0.
"""

import contextlib
import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from requests.models import PreparedRequest
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class DeadlineExceeded(TimeoutError):
    """The exchange used up its total time."""


_send_until: ContextVar[float | None] = ContextVar("send_until", default=None)


def moment() -> float:
    """Return the present moment (seconds) on a clock that no one sets and that goes on while the machine sleeps."""
    return time.clock_gettime(_CLOCK)


_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@contextlib.contextmanager
def sent_by(latest: float) -> Iterator[None]:
    """Within it, calls with a side effect are sent until the moment `latest` or, raising `TooLate`, not at all."""
    token = _send_until.set(latest)
    try:
        yield
    finally:
        _send_until.reset(token)


class Exchange:
    """One request and its answer: its limits in seconds, and whether any byte of the request was handed to a socket.

    An `effect` heeds `sent_by`; `too_late` says that it was therefore not sent, or not as a whole.
    """

    __slots__ = ("deadline", "max_idle", "read_timeout", "send_until", "sent", "too_late")

    def __init__(self, *, total_timeout: float, read_timeout: float, max_idle: float, effect: bool = False) -> None:
        self.deadline = time.monotonic() + total_timeout
        self.read_timeout = read_timeout
        self.max_idle = max_idle
        self.send_until = _send_until.get() if effect else None
        self.sent = False
        self.too_late = False

    def time_to_send(self) -> float:
        """Return the seconds left for sending (> 0), or raise DeadlineExceeded."""
        left = self.remaining()
        if self.send_until is None:
            return left
        left = min(left, self.send_until - moment())
        if left <= 0:
            self.too_late = True
            raise DeadlineExceeded("the call was held up before it was sent")
        return left

    def remaining(self) -> float:
        """Return the seconds left (> 0), or raise DeadlineExceeded."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the exchange took too long")
        return left


class _Running(threading.local):
    """The exchange that this thread is in; urllib3 offers no way to hand it to a pooled connection."""

    exchange: Exchange


running = _Running()


class _DeadlineReader(io.RawIOBase):
    """The receiving side of a socket, each read bounded by the read timeout and by the rest of the total."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._socket = sock
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = self._exchange
        left = exchange.remaining()
        self._socket.settimeout(min(left, exchange.read_timeout))
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            exchange.remaining()  # names the total as the cause if it was the total that ran out
            raise
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """What http.client needs of a socket in order to read a response."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._socket, running.exchange))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(_BoundedSocket(sock), *args, **kwargs)  # type: ignore[arg-type]


class _Connection(HTTPConnection):
    response_class = _Response
    last_used = 0.0

    @property
    def is_connected(self) -> bool:
        # The pool asks this before it hands out a connection again, and closes it (to reconnect) on False.
        return time.monotonic() - self.last_used <= running.exchange.max_idle and super().is_connected

    def send(self, data: Any) -> None:
        exchange = running.exchange
        if self.sock is None:
            self.connect()
        # A large body may take the whole total, not only the connect timeout that urllib3 leaves on the socket.
        # Without its last piece the vendor has no request, so each piece is held against the clock.
        self.sock.settimeout(exchange.time_to_send())
        # After `sent` the vendor may have seen the request.
        exchange.sent = True
        super().send(data)

    def getresponse(self) -> Any:
        response = super().getresponse()
        self.last_used = time.monotonic()
        return response


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class StudioAdapter(HTTPAdapter):
    """A requests adapter on the connections above, for one host and without proxies.

    `running.exchange` must be set in the calling thread before each send.
    """

    def __init__(self, pool_size: int) -> None:
        self._pool: Any = None  # the pool class of urllib3 has no name in the stubs of requests
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pool manager with our connection classes."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    # One host means one pool and no proxy to choose, which spares each call a tenth of its CPU time.

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the only pool."""
        pool = self._pool
        if pool is None:
            pool = self._pool = super().get_connection_with_tls_context(*args, **kwargs)
        return pool

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """Return path and query: the target of a request that goes straight to its host."""
        return request.path_url

    def close(self) -> None:
        """Close the kept connections; a later send opens new ones."""
        self._pool = None
        super().close()
