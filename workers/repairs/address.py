"""Broker and results are reached by a socket, or by Sentinels, with the one address that all of Renderline uses.

kombu takes Sentinels as a list of servers between which it changes, each with its own copy of user, password and
database, and a socket's password as a part of the host's name, which workers show to all who ask for their statistics.
Celery's result backend parses both again. Here the transport option `address` says where, and the connections are
made where all others are made. No upstream issue was found.
"""

from __future__ import annotations

from typing import Any

from celery.backends import redis as backend
from kombu.transport import redis

from config.redis_address import Address, Shown
from renderline.ledger.failover import LeavingSentinelConnection, LeavingSentinelSSLConnection, leaving
from workers.redis_pool import open_pool, sentinel_connection_class
from workers.repairs.repair import CELERY, KOMBU, Repair


class Channel(redis.Channel):
    """A channel that connects to the address of its transport options; without one, as kombu does."""

    # Those of Sentinels are those of all others, and more.
    from_transport_options = (*redis.SentinelChannel.from_transport_options, "address")  # type: ignore[assignment]
    address: Shown | None = None

    def _get_pool(self, asynchronous: bool = False) -> Any:
        if self.address is None:
            if isinstance(self, redis.SentinelChannel):
                self.connection_class = LeavingSentinelConnection
                self.connection_class_ssl = LeavingSentinelSSLConnection
            return super()._get_pool(asynchronous)
        address = self.address.address
        if address.master_name:
            self.connection_class = self.connection_class_ssl = sentinel_connection_class(address)
        options = self._connparams(asynchronous)
        self.keyprefix_fanout = self.keyprefix_fanout.format(db=address.database)
        pool = open_pool(address, **_own(options, address))
        if address.master_name:
            # kombu closes these with the pools.
            kept = "_async_sentinel_manager" if asynchronous else "_sentinel_manager"
            setattr(self, kept, pool.sentinel_manager)  # type: ignore[attr-defined]
        return pool


def _own(options: dict[str, Any], address: Address) -> dict[str, Any]:
    """Return kombu's options of a connection without those that say where it leads."""
    made = options["connection_class"]
    kept = {name: value for name, value in options.items() if name not in ("host", "port", "path")}
    return {**kept, "connection_class": leaving(made) if address.socket else made}


class Backend(backend.RedisBackend):
    """The result backend, where `renderline.request` leaves the render id for its producer."""

    def _get_pool(self, **params: Any) -> Any:
        where: Shown | None = self._transport_options.get("address")
        if where is None:
            return super()._get_pool(**params)
        elsewhere = ("host", "port", "path", "hosts", "connection_class")
        return open_pool(where.address, **{name: value for name, value in params.items() if name not in elsewhere})


REPAIR = Repair(
    name="address",
    promise="broker and results are reached through Sentinels and sockets, and no worker shows their passwords",
    needs={**KOMBU, **CELERY},
    touches=(
        "kombu.transport.redis:Channel._get_pool",
        "kombu.transport.redis:Channel._connparams",
        "kombu.transport.redis:SentinelChannel.from_transport_options",
        "kombu.transport.redis:Channel.keyprefix_fanout",
        "kombu.transport.redis:Channel.connection_class",
        "kombu.transport.redis:Channel.connection_class_ssl",
        "celery.backends.redis:RedisBackend._get_pool",
        "celery.backends.redis:RedisBackend._transport_options",
    ),
    channel=Channel,
)
