"""Serves the metrics and the health of a worker over HTTP, in a thread of their own. It has no access control: bind it
accordingly."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
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
    """The HTTP server of one worker's metrics.

    `checks`: paths that answer 200, or 503 with the reason that the function returns.
    """

    def __init__(
        self, registry: CollectorRegistry, *, checks: Mapping[str, Callable[[], str | None]] | None = None
    ) -> None:
        self._registry = registry
        self._checks = dict(checks or {})
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
            server.set_app(self._application())
            return server
        raise AssertionError("no port was tried")

    def _application(self) -> Callable[..., Iterable[bytes]]:
        metrics: Any = make_wsgi_app(self._registry)

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            check = self._checks.get(environ["PATH_INFO"])
            if check is None:
                found: Iterable[bytes] = metrics(environ, start_response)
                return found
            problem = check()
            start_response("503 Service Unavailable" if problem else "200 OK", [("Content-Type", "text/plain")])
            return [f"{problem or 'ok'}\n".encode()]

        return application
