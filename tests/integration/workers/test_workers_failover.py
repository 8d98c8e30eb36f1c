"""A server is demoted while connections to it stay open: every client finds the new primary by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Producer
from redis import ConnectionPool, Redis

from config.settings import Settings, load
from harness import Valkey, until
from harness.tcp_proxy import TcpProxy
from renderline.accounts.rate_limit import RateLimit
from renderline.ledger import AccountLimits, Ledger
from renderline.ledger.failover import LeavingSSLConnection, connection_class
from workers.application import create_app
from workers.composition.connection import connect
from workers.repairs.transport import transport_class


class Pair:
    """A primary, its replica, and a proxy that leads to the current primary."""

    def __init__(self, directory: Path, parts: ExitStack) -> None:
        self.old, self.new = (parts.enter_context(Valkey(_made(directory / name))) for name in ("old", "new"))
        self._primary, self._replica = (
            parts.enter_context(Redis.from_url(one.url, decode_responses=True)) for one in (self.old, self.new)
        )
        self.proxy = TcpProxy(self.old.port)
        parts.callback(self.proxy.cut)
        self.url = f"redis://127.0.0.1:{self.proxy.port}/0"
        self._replica.replicaof("127.0.0.1", self.old.port)
        until(lambda: self._replica.info("replication").get("master_link_status") == "up", what="replica in step")

    def fail_over(self) -> None:
        """Promote the replica, which has everything, and make the other one its replica; no connection is closed."""
        self._primary.client_pause(60_000, all=False)
        wanted = self._primary.info("replication")["master_repl_offset"]
        until(lambda: self._replica.info("replication")["master_repl_offset"] >= wanted, what="replica in step")
        self.proxy.redirect_to(self.new.port)
        self._replica.replicaof("NO", "ONE")
        self._primary.replicaof("127.0.0.1", self.new.port)
        self._primary.client_unpause()


def _made(directory: Path) -> Path:
    directory.mkdir()
    return directory


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as parts:
        yield Pair(tmp_path, parts)


def _ledger(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    limits = AccountLimits(Ledger(parts.enter_context(connect(settings))))
    return lambda: limits.set_slots({"a": 5})


def _script(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    ledger = Ledger(parts.enter_context(connect(settings)))
    return ledger.stalled


def _transaction(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    redis = parts.enter_context(connect(settings))

    def write() -> None:
        with redis.pipeline(transaction=True) as pipe:
            pipe.set("a", "1")
            pipe.set("b", "2")
            pipe.execute()

    return write


def _pace(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    return RateLimit(parts.enter_context(connect(settings)), "a", 100.0).take


def _broker(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    connection = parts.enter_context(Connection(settings.redis_url, transport=transport_class()))
    producer = Producer(connection.default_channel)
    return lambda: producer.publish({}, routing_key="submit", retry=True, retry_policy={"max_retries": 2})


def _results(settings: Settings, parts: ExitStack) -> Callable[[], Any]:
    backend = create_app(settings).backend
    return lambda: backend.store_result("i1", "the id", "SUCCESS")


CLIENTS = [_ledger, _script, _transaction, _pace, _broker, _results]


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")
@pytest.mark.parametrize("client", CLIENTS, ids=lambda made: made.__name__[1:])
def test_a_client_leaves_a_demoted_server(pair: Pair, client: Callable[..., Callable[[], Any]]) -> None:
    settings = load({"REDIS_URL": pair.url}, role="gateway")
    with ExitStack() as parts:
        write = client(settings, parts)
        write()
        pair.fail_over()
        write()
        write()


def test_a_connection_over_tls_leaves_as_well() -> None:
    pool = ConnectionPool.from_url("rediss://h:1", connection_class=connection_class("rediss://h:1"))
    assert pool.connection_class is LeavingSSLConnection
    assert transport_class().Channel.connection_class_ssl is LeavingSSLConnection
