"""The Redis server of broker and ledger behind a proxy, with a replica that can be promoted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

from redis import Redis

from harness import Valkey, until
from harness.tcp_proxy import TcpProxy

_WRITES_TO_DISK = ("--appendfsync", "always", "--repl-diskless-sync-delay", "0")
_PAUSE = 10.0
"""The most seconds that writes wait while the replica catches up."""


class Stores:
    """A primary, and a replica of it if asked for; `url` always leads to the current primary.

    Connections go through a proxy, so that those made before a failover stay at the demoted server.
    """

    def __init__(self, directory: Path, *, replicated: bool) -> None:
        self._servers = []
        for name in ("valkey-1", "valkey-2")[: 2 if replicated else 1]:
            (directory / name).mkdir(parents=True)
            self._servers.append(Valkey(directory / name, *_WRITES_TO_DISK))
        self._line = TcpProxy(self._servers[0].port)
        self.url = f"redis://127.0.0.1:{self._line.port}/0"

    def __enter__(self) -> Self:
        try:
            for server in self._servers:
                server.start()
            if len(self._servers) > 1:
                self._follow(self._servers[1], self._servers[0])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._line.cut()
        for server in self._servers:
            if server.process:
                server.process.kill()

    def kill_primary(self) -> None:
        """SIGKILL."""
        primary = self._servers[0].process
        assert primary is not None
        primary.kill()

    def start_primary(self) -> None:
        """Restart it with its data."""
        self._servers[0].start()

    def fail_over(self) -> float:
        """Promote the replica without losing writes, as a careful operator does; returns the seconds that writes
        waited.

        Writes wait until the replica has all of them. Then new connections lead to the replica, it is promoted, and the
        old primary follows it: read-only, and with all its connections.
        """
        old, new = self._servers
        with _client(old) as primary, _client(new) as replica:
            until(lambda: _synchronous(primary, replica), what="a replica that keeps up")
            begin = time.monotonic()
            primary.client_pause(int(_PAUSE * 1000), all=False)
            until(lambda: _synchronous(primary, replica), seconds=_PAUSE / 2, what="the replica has every write")
            self._line.redirect_to(new.port)
            replica.replicaof("NO", "ONE")
            primary.replicaof("127.0.0.1", str(new.port))
            primary.client_unpause()
            self._servers.reverse()
            return time.monotonic() - begin

    @staticmethod
    def _follow(replica: Valkey, primary: Valkey) -> None:
        with _client(replica) as client:
            client.replicaof("127.0.0.1", str(primary.port))
            until(lambda: client.info("replication").get("master_link_status") == "up", what="a replica")


def _client(server: Valkey) -> Redis:
    return Redis(port=server.port, decode_responses=True, socket_timeout=10)


def _synchronous(primary: Redis, replica: Redis) -> bool:
    ours: dict[str, Any] = replica.info("replication")
    theirs: dict[str, Any] = primary.info("replication")
    return (
        ours.get("master_link_status") == "up"
        and not ours.get("master_sync_in_progress")
        and ours["slave_repl_offset"] >= theirs["master_repl_offset"]
    )
