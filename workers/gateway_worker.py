"""gunicorn's worker for the gateway: gunicorn keeps the processes and sockets, our server the connections."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from typing import Any, Final

from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from config import settings
from config.env_file import environment
from renderline.gateway.body_limits import BodyLimits
from renderline.gateway.server import ConnectionLimits, GatewayServer, Threads

# Seconds between two signs of life, and the longest time until a signal is noticed.
_TICK: Final = 0.1
# Seconds for which a busy thread may keep the others waiting; Python's own 5 ms add up over many threads.
_SWITCH: Final = 0.001
# Files that a process needs besides its clients' connections: Redis, logs, libraries.
_OTHER_FILES: Final = 200


class GatewayWorker(Worker):
    """A process of the gateway, with gunicorn's options for sockets, TLS, threads and processes."""

    def run(self) -> None:
        """Serve until SIGTERM, then answer the calls that have begun."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        sys.setswitchinterval(_SWITCH)
        chosen = settings.load(environment(), role="gateway")
        body_limits = BodyLimits(chosen.max_request_bytes, chosen.max_upload_bytes)
        server = GatewayServer(
            self.wsgi,
            threads=Threads(self.cfg.threads),
            limits=ConnectionLimits(
                header=chosen.gateway_header_timeout,
                body=chosen.gateway_body_timeout,
                upload=chosen.gateway_upload_timeout,
                write=chosen.gateway_write_timeout,
                connections=_affordable(chosen.gateway_connections),
            ),
            body_limit=body_limits,
            streamed=body_limits.streamed,
            address=_address(self.sockets[0].getsockname()),
            ssl_options=ssl_context(self.cfg) if self.cfg.is_ssl else None,
        )
        for each in self.sockets:
            each.setblocking(False)
        server.add_sockets([each.sock for each in self.sockets])
        while self.alive and self.ppid == os.getppid():
            self.notify()
            await asyncio.sleep(_TICK)
        await server.stop_gently(self.cfg.graceful_timeout, self.notify)


def _affordable(connections: int) -> int:
    """Return how many connections the process may have, after raising its limit of open files as far as is needed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < allowed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        soft = allowed
    return connections if soft == resource.RLIM_INFINITY else max(16, min(connections, soft - _OTHER_FILES))


def _address(name: Any) -> tuple[str, int]:
    # A Unix socket has a path instead.
    return (str(name[0]), int(name[1])) if isinstance(name, tuple) else ("localhost", 80)
