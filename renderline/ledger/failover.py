"""Connections that leave a demoted server.

A failover leads new connections to the new primary, but may leave old ones open to a server that now refuses writes.
The client library reports that and keeps the connection for ever. Here it counts as a broken connection: it is closed,
and the code that repeats commands after a lost connection uses a new one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis import Connection, ConnectionError, ReadOnlyError, ResponseError, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import MasterDownError
from redis.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection

_UNBLOCKED = "UNBLOCKED"
"""The error that blocked clients get when the server is demoted."""


class Demoted(ConnectionError):
    """The server is no longer a primary; this connection to it was closed."""


class _Leaving:
    """Closes the connection when the server answers that it is no primary."""

    def read_response(self, *args: Any, **options: Any) -> Any:
        try:
            return super().read_response(*args, **options)  # type: ignore[misc]
        except ResponseError as error:
            if not isinstance(error, ReadOnlyError | MasterDownError) and not str(error).startswith(_UNBLOCKED):
                raise
            self.disconnect()  # type: ignore[attr-defined]
            raise Demoted(f"the server is no primary: {error}") from error


class LeavingConnection(_Leaving, Connection):
    """Over TCP."""


class LeavingSSLConnection(_Leaving, SSLConnection):
    """Over TLS."""


class LeavingSocketConnection(_Leaving, UnixDomainSocketConnection):
    """Over a Unix socket."""


class LeavingSentinelConnection(_Leaving, SentinelManagedConnection):
    """To the primary that Sentinels name."""


class LeavingSentinelSSLConnection(_Leaving, SentinelManagedSSLConnection):
    """The same over TLS."""


def leaving(made: type[Any]) -> type[Any]:
    """Return a subclass of a class of connections that leaves a demoted server."""
    return made if issubclass(made, _Leaving) else type(f"Leaving{made.__name__}", (_Leaving, made), {})


def connection_class(url: str) -> type[Any]:
    """Return the class of connections for a Redis URL."""
    by_scheme: dict[str, type[Any]] = {"rediss": LeavingSSLConnection, "unix": LeavingSocketConnection}
    return by_scheme.get(urlsplit(url).scheme, LeavingConnection)
