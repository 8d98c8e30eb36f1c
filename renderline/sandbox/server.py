"""The sandbox server: listens, advances renders on time, stops on a signal."""

import asyncio
import signal

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from renderline.sandbox.backend import Backend
from renderline.sandbox.dispatch import Dispatch
from renderline.sandbox.exchange import ConnectionHandler
from renderline.sandbox.options import Options

MAX_BODY_BYTES = 16 * 1024 * 1024 * 1024
"""Uploads pass by without being kept."""

BACKLOG = 1024


class Alarm:
    """Advances the renders when an event is due, so that webhooks go out without a call."""

    def __init__(self) -> None:
        self.backend: Backend | None = None
        self._at = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Wake up at this time or earlier."""
        if self.backend is None or (self._handle is not None and self._at <= at):
            return
        if self._handle is not None:
            self._handle.cancel()
        self._at = at
        delay = max(0.0, at - self.backend.clock.now())
        self._handle = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        backend, self._handle = self.backend, None
        if backend is not None:
            backend.renders.advance(backend.clock.now())
            due = backend.renders.next_due()
            if due is not None:
                self.set(due)


async def serve(options: Options) -> None:
    """Listen, print the URL on one line, and serve until SIGTERM or SIGINT; raises OSError if the port is taken."""
    sockets = bind_sockets(options.port, options.host, backlog=BACKLOG)
    alarm = Alarm()
    alarm.backend = Backend(options, set_alarm=alarm.set)
    server = HTTPServer(ConnectionHandler(Dispatch(alarm.backend).serve), max_body_size=MAX_BODY_BYTES)
    server.add_sockets(sockets)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, port = sockets[0].getsockname()[:2]
    print(f"sandbox listening on http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)
    await stop.wait()
    server.stop()
    await server.close_all_connections()
