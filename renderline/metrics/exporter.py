"""Serves the metrics of a worker over HTTP, in a thread of their own. It has no access control: bind it accordingly."""

from __future__ import annotations

import errno
import socket
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import structlog
from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

log = structlog.get_logger(__name__)

PORTS = 20
"""How many ports are tried, from the given one on: several workers of a machine have the same settings."""
_PATIENCE = 5.0
"""Seconds for which a client may be silent."""


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: Prometheus asks every few seconds."""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _ServerV6(_Server):
    address_family = socket.AF_INET6


class Exporter:
    """The HTTP server of one worker's metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._server: _Server | None = None

    @property
    def port(self) -> int | None:
        """The port that it listens on; None: it does not."""
        return self._server.server_port if self._server else None

    def start(self, bind: str) -> bool:
        """Serve at `host:port`, or on the next free port of 20; returns whether it does. It raises nothing: a worker
        works without metrics too.
        """
        host, _, first = bind.rpartition(":")
        try:
            server = self._server = self._listen(host.strip("[]"), int(first))
            ProcessCollector(registry=self._registry)
            threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        except Exception as error:
            log.warning("no metrics", bind=bind, why=f"{type(error).__name__}: {error}")
            return False
        log.info("metrics", at=f"http://{host}:{self.port}/metrics")
        return True

    def stop(self) -> None:
        """Stop serving."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _listen(self, host: str, first: int) -> _Server:
        made = _ServerV6 if ":" in host else _Server
        for port in range(first, first + PORTS):
            try:
                server = made((host, port), _Handler)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or port == first + PORTS - 1:
                    raise
                continue
            server.set_app(make_wsgi_app(self._registry))
            return server
        raise AssertionError("no port was tried")
