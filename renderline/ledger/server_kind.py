"""Which server answers, by its INFO, and which ones cannot hold the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis import Redis
from redis.exceptions import NoPermissionError

OLDEST: Final = (6, 2)
"""The first version with every command that the ledger's scripts use."""
TRIED: Final = "Redis 6.2 and 7.0, Valkey 9.0 and 9.1"
"""What benchmarks/redis_servers.py has run with."""


@dataclass(frozen=True)
class ServerKind:
    """A server: its name and version, and whether it is a part of a cluster. `problem` is empty if it can be used."""

    name: str
    version: str
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def server_kind(info: Mapping[str, Any]) -> ServerKind:
    """Return which server gave this INFO answer."""
    compatible = str(info.get("redis_version", ""))
    if "dragonfly_version" in info:
        return ServerKind("Dragonfly", str(info["dragonfly_version"]), f"it was never tried; use one that was: {TRIED}")
    # KeyDB gives Redis' version as its own.
    if "mvcc_depth" in info:
        return ServerKind("KeyDB", compatible, f"it was never tried; use one that was: {TRIED}")
    name, version = ("Valkey", str(info["valkey_version"])) if "valkey_version" in info else ("Redis", compatible)
    if int(info.get("cluster_enabled", 0)):
        why = (
            "it is a part of a Redis Cluster, where one step of the ledger cannot change keys of several parts; "
            "use one server, or Sentinels"
        )
        return ServerKind(name, version, why)
    if tuple(int(part) for part in compatible.split(".")[:2] if part.isdigit()) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return ServerKind(name, version, f"it is older than {wanted}; use one that was tried: {TRIED}")
    return ServerKind(name, version)


def server_problem(redis: Redis) -> str | None:
    """Return why this server cannot hold the ledger, None if it can.

    A server that refuses INFO passes. Raises `redis.RedisError` if it does not answer.
    """
    try:
        info: Any = redis.info()
    except NoPermissionError:
        return None
    kind = server_kind(info)
    return f"this is {kind}, and {kind.problem}" if kind.problem else None
