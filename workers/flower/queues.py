"""All queues on Flower's page of queues, whatever was started first.

Flower lists the queues of the workers that answered its last question. Those of a worker that is late, busy or not
started are left out. Behind Sentinels it asks one of them alone, and at a socket it knows neither user nor database:
there the lengths are read with the address that all of Renderline uses.
"""

from __future__ import annotations

from typing import Any

from flower.api.tasks import GetQueueLengths
from flower.utils.broker import RedisBase
from flower.views.broker import BrokerView
from redis import asyncio
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from config.redis_address import Address, Shown
from renderline import contract
from workers.redis_pool import sentinel_options


class _AllQueues:
    """Stands before a handler of Flower that lists queues."""

    def get_active_queue_names(self) -> list[str]:
        """Return the names of the queues to list: those that Flower knows, and all of ours."""
        known: Any = super()
        return sorted({*known.get_active_queue_names(), *contract.QUEUES})

    def get_broker(self) -> Any:
        """Return what reads the lengths of queues."""
        known: Any = super()
        options = known.capp.conf.broker_transport_options
        where: Shown | None = options.get("address")
        return known.get_broker() if where is None else _Broker(where.address, options)


class _Broker(RedisBase):
    """Reads the lengths of queues at a socket, or at the primary that Sentinels name."""

    def __init__(self, address: Address, options: dict[str, Any]) -> None:
        super().__init__("redis:///", broker_options=options)
        self.redis = _client(
            address,
            username=address.username,
            password=address.password,
            db=address.database,
            socket_timeout=self.DEFAULT_SOCKET_TIMEOUT,
            socket_connect_timeout=self.DEFAULT_SOCKET_CONNECT_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )


def _client(address: Address, **options: Any) -> Any:
    if address.socket:
        return asyncio.Redis(unix_socket_path=address.socket, **options)
    of_sentinels = {**sentinel_options(address), "retry": Retry(NoBackoff(), 0)}
    sentinel: Any = Sentinel(address.hosts, sentinel_kwargs=of_sentinels)
    tls = {"ssl": True, **address.tls} if address.tls else {}
    return sentinel.master_for(address.master_name, **options, **tls)


class QueuePage(_AllQueues, BrokerView):
    """The page of queues."""


class QueueLengths(_AllQueues, GetQueueLengths):
    """The lengths of the queues, for programs."""


REPLACED: dict[type, type] = {BrokerView: QueuePage, GetQueueLengths: QueueLengths}
"""By Flower's handler, the one that takes its place."""

# Flower asks this method of its base handler; noticed here if it is gone.
BrokerView.get_active_queue_names  # noqa: B018
