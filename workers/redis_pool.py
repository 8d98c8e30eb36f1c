"""Connections to Redis for every process and library, made from the one address of REDIS_URL.

All connections leave a server that was demoted. Through Sentinels, each new connection first asks them for the primary.
"""

from __future__ import annotations

from typing import Any, Final

from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from config import redis_address
from config.redis_address import Address
from renderline.ledger.failover import (
    LeavingConnection,
    LeavingSentinelConnection,
    LeavingSentinelSSLConnection,
    LeavingSocketConnection,
    LeavingSSLConnection,
)

_SENTINEL_TIMEOUT: Final = 1.0
"""Seconds that one Sentinel has to answer; then the next one is asked."""
_OF_TCP = ("host", "port", "socket_keepalive", "socket_keepalive_options")


def open_client(url: str, **options: Any) -> Redis:
    """Return a client for a parsed address; `options` are those of redis-py's connections."""
    return Redis.from_pool(open_pool(redis_address.read(url), **options))


def open_pool(address: Address, **options: Any) -> ConnectionPool:
    """Return a pool of connections to the server at an address, or to the primary that its Sentinels name.

    `connection_class` may replace the class of the connections.
    """
    options |= {"db": address.database, "username": address.username, "password": address.password}
    if address.socket:
        options = {name: value for name, value in options.items() if name not in _OF_TCP}
        return ConnectionPool(**{"connection_class": LeavingSocketConnection, "path": address.socket, **options})
    tls = dict(address.tls or {})
    if address.master_name:
        options = {"connection_class": sentinel_connection_class(address), **options, **tls}
        pool: ConnectionPool = _sentinel(address).master_for(address.master_name, Redis, **options).connection_pool
        return pool
    ((host, port),) = address.hosts
    made = LeavingSSLConnection if address.tls else LeavingConnection
    return ConnectionPool(**{"connection_class": made, **options, "host": host, "port": port, **tls})


def sentinel_connection_class(address: Address) -> type[Any]:
    """Return the class of connections to the primary that Sentinels name."""
    return LeavingSentinelSSLConnection if address.tls else LeavingSentinelConnection


def sentinel_options(address: Address) -> dict[str, Any]:
    """Return how to connect to the Sentinels of an address."""
    options: dict[str, Any] = {
        "username": address.sentinel_username,
        "password": address.sentinel_password,
        "socket_timeout": _SENTINEL_TIMEOUT,
        "socket_connect_timeout": _SENTINEL_TIMEOUT,
    }
    return {**options, "ssl": True, **address.tls} if address.tls else options


def _sentinel(address: Address) -> Sentinel:
    # One that does not answer is not asked again: there are others.
    return Sentinel(address.hosts, sentinel_kwargs={**sentinel_options(address), "retry": Retry(NoBackoff(), 0)})
