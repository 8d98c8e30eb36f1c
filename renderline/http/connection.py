"""Connections that keep the limits of their exchange.

Four things decide whether a call that costs money may be repeated, and requests and urllib3 answer none of them:

* *Was anything sent?* A refused connection, a failed TLS handshake and a reset after sending all arrive as
  `requests.ConnectionError`. Here the connection notes when it hands the first byte to the socket.
* *Was the connection stale?* A server may close an idle keep-alive connection while our request is on its way. That
  looks exactly like a server that died while working. urllib3 drops connections that it has seen closed, but the race
  remains. So an exchange says how long its connection may have been idle.
* *Will it ever end?* Read timeouts count from byte to byte, so a server that sends a byte now and then holds a call for
  ever. Here every read, of headers too, is cut to what is left of the exchange's total time.
* *Is it still wanted?* A process may be stopped for minutes right before it sends, while another takes over its work.
  An exchange under `sent_by` checks the clock right before each write, and does not send too late.

Nothing is ever sent twice: the adapters have no retries, and urllib3 repeats nothing with retries at 0.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from renderline.http.exchange import Exchange, running


class _BoundedReader(io.RawIOBase):
    """The receiving side of a socket, each read within the limits of the exchange."""

    def __init__(self, sock: socket.socket, exchange: Exchange) -> None:
        self._socket = sock
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = self._exchange
        self._socket.settimeout(exchange.time_to_read())
        try:
            count: int | None = self._raw.readinto(buffer)
        except TimeoutError:
            exchange.remaining()  # blames the total time if that ran out
            raise
        if exchange.head_left is not None:
            exchange.was_read(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """The part of a socket that http.client needs to read a response."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def makefile(self, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_BoundedReader(self._socket, running.exchange))


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
        # A large body may take the total time, not only the connect timeout that urllib3 leaves on the socket. Without
        # its last piece the server has no request, so the clock is checked before each piece.
        self.sock.settimeout(exchange.time_to_send())
        # After `sent` the server may have seen the request.
        exchange.sent = True
        super().send(data)

    def getresponse(self) -> Any:
        response = super().getresponse()
        running.exchange.head_is_read()
        self.last_used = time.monotonic()
        return response


class _TLSConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


def use_bounded_connections(pools: PoolManager) -> None:
    """Have a pool manager open connections that keep the limits of `running.exchange`.

    The calling thread must set that before each request.
    """
    pools.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


class SingleHostAdapter(HTTPAdapter):
    """A requests adapter on bounded connections, for one host and without proxies."""

    def __init__(self, pool_size: int) -> None:
        self._pool: Any = None  # the pool class of urllib3 has no name in the stubs of requests
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0, pool_block=False)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pool manager with bounded connections."""
        super().init_poolmanager(*args, **kwargs)
        use_bounded_connections(self.poolmanager)

    # One host means one pool and no choice of a proxy, which saves a tenth of a call's CPU time.

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
