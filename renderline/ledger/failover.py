"""Connections that leave a server that was demoted.

A failover leads new connections to the new primary and may leave old ones as they are, at a server that now takes no
writes. The client library tells that to its caller and keeps the connection, for ever. Here it is a broken connection:
closed, and what was asked is asked again over a new one, by whatever repeats things after a lost connection.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from redis import Connection, ConnectionError, ReadOnlyError, ResponseError, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import MasterDownError

_UNBLOCKED = "UNBLOCKED"
"""What the server says to those who waited for a message when it was demoted."""


class Demoted(ConnectionError):
    """The server at the other end is no primary (any more); this connection to it was closed."""


class _Leaving:
    """Closes the connection on the answer of a server that is no primary."""

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
    """Over a socket of this machine."""


def connection_class(url: str) -> type[Any]:
    """Return the class of connections for a Redis URL."""
    by_scheme: dict[str, type[Any]] = {"rediss": LeavingSSLConnection, "unix": LeavingSocketConnection}
    return by_scheme.get(urlsplit(url).scheme, LeavingConnection)
