"""The connections of a gateway process: accepted, limited in number, and dropped if they wait too long."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

import structlog
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate
from tornado.iostream import IOStream

from renderline.gateway.server.call import Call
from renderline.gateway.server.limits import LARGEST_HEADER, ConnectionLimits
from renderline.gateway.server.threads import Threads

log = structlog.get_logger(__name__)

# Seconds between two log lines about dropped connections.
_LOG_EVERY = 10.0


# Bytes of a body that is never refused for want of memory.
_SMALL = 64 * 1024
# Bytes that the kernel keeps for a client that does not read; without a limit it takes megabytes.
_SEND_BUFFER = 128 * 1024


class GatewayServer(HTTPServer):
    """Serves a WSGI application; created in the thread of a running event loop.

    A thread is taken only for a request that was read whole. `body_limit` returns the largest body for a path.
    Of a larger one the application gets a little more than that, or nothing if its length was announced. At the paths
    that are `streamed` the application reads the body as it comes.
    """

    def initialize(  # type: ignore[override]
        self,
        application: Callable[[dict[str, Any], Any], Iterable[bytes]],
        *,
        threads: Threads,
        limits: ConnectionLimits,
        body_limit: Callable[[str], int],
        streamed: Callable[[str], bool] = lambda _: False,
        address: tuple[str, int],
        ssl_options: ssl.SSLContext | None = None,
    ) -> None:
        """Take what the class says, and the address that the environment of a call names."""
        super().initialize(
            lambda _: None,
            ssl_options=ssl_options,
            max_header_size=LARGEST_HEADER,
            idle_connection_timeout=limits.header,
            body_timeout=limits.body,
            # What a client may send ahead while its call is running.
            max_buffer_size=4 * LARGEST_HEADER,
            chunk_size=LARGEST_HEADER,
        )
        self.application, self.threads, self.limits, self.body_limit = application, threads, limits, body_limit
        self.streamed = streamed
        self.address, self.loop = address, asyncio.get_running_loop()
        self.stopping = False
        self._current: dict[object, Call] = {}
        self._buffered = 0
        self._dropped, self._logged = 0, 0.0

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        """Take a connection; one that waits for its client makes room for it."""
        if len(self._current) >= self.limits.connections and not self._drop_longest_wait():
            stream.close()
            return
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        super().handle_stream(stream, address)

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        """Wait for the next request of a connection."""
        call = Call(self, cast(HTTP1Connection, request_conn))
        self._current[server_conn] = call
        return call

    def on_close(self, server_conn: object) -> None:
        """Forget a closed connection."""
        call = self._current.pop(server_conn, None)
        if call:
            call.release()
        super().on_close(server_conn)

    def has_room(self, count: int) -> bool:
        """Return whether a body of this size can be taken; small ones always can, since a webhook is one."""
        return count <= _SMALL or self._buffered + count <= self.limits.buffered_bytes

    def hold(self, count: int) -> None:
        """Count bytes of unfinished bodies and unread answers; too many cost those that have waited longest."""
        self._buffered += count
        while count > 0 and self._buffered > self.limits.buffered_bytes and self._drop_longest_wait(reading=True):
            pass

    async def stop_gently(self, seconds: float, alive: Callable[[], None]) -> None:
        """Accept nothing more, and return once every call is answered, or after `seconds`; calls `alive` meanwhile."""
        self.stopping = True
        self.stop()
        end = time.monotonic() + seconds
        while self._current and time.monotonic() < end:
            for call in list(self._current.values()):
                if call.idle:
                    call.drop()
            alive()
            await asyncio.sleep(0.02)

    def _drop_longest_wait(self, *, reading: bool = False) -> bool:
        """Drop the connection that has waited longest for its client; False if there is none.

        `reading`: only those that hold part of a body or answer.
        """
        waiting = [
            (call.waiting_since, connection)
            for connection, call in self._current.items()
            if call.waiting_since is not None and (call.holds or not reading)
        ]
        if not waiting:
            return False
        _, longest = min(waiting, key=lambda each: each[0])
        self._current.pop(longest).drop()
        self._dropped += 1
        if time.monotonic() - self._logged > _LOG_EVERY:
            log.warning("connections dropped that kept the gateway waiting", count=self._dropped)
            self._dropped, self._logged = 0, time.monotonic()
        return True
