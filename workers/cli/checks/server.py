"""Checks of the Redis server: version, memory, persistence, role, clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from redis import Redis, ResponseError
from redis.exceptions import NoPermissionError

from config import redis_address
from config.settings import Settings
from renderline.ledger import SKEWED, Persistence, persistence
from renderline.ledger.clock import epoch_seconds
from renderline.ledger.eviction import WANTED_POLICY
from renderline.ledger.server_kind import server_kind
from workers.cli.checks.result import CheckResult

_FULL = 0.8


def check(redis: Redis, settings: Settings) -> list[CheckResult]:
    """Return the results for the server; raises `redis.RedisError` if it does not answer."""
    redis.ping()
    clock = of_clock(epoch_seconds(redis.time()) - time.time())
    try:
        info: dict[str, Any] = redis.info()
    except NoPermissionError:
        detail = "answers, but this user may not call INFO: version, memory policy and persistence are unknown"
        return [
            CheckResult("redis", "warn", detail, "allow it, or check yourself that maxmemory-policy is noeviction"),
            clock,
        ]
    several = redis_address.read(settings.redis_url).master_name is not None
    return [
        *(_at(one, redis_address.shown(settings.redis_url)) for one in of_info(info, snapshots=_snapshots(redis))),
        *of_replicas(info, settings.wait_for_replicas, several=several),
        of_disk(persistence(redis)),
        clock,
    ]


def _at(result: CheckResult, address: str) -> CheckResult:
    """Return the result, that for the server itself with its address."""
    return replace(result, detail=f"{result.detail} at {address}") if result.check == "redis" else result


def _snapshots(redis: Redis) -> bool | None:
    """Return whether snapshots are on, None if the server does not say (hosted ones refuse CONFIG)."""
    try:
        found: dict[str, str] = redis.config_get("save")  # type: ignore[assignment]
    except ResponseError:
        return None
    return bool(found.get("save"))


def of_info(info: Mapping[str, Any], *, snapshots: bool | None) -> Iterator[CheckResult]:
    """Yield the results that follow from an INFO answer."""
    yield _version(info)
    yield _topology(info)
    yield _role(info)
    yield _memory(info)
    yield _persistence(info, snapshots)


def _version(info: Mapping[str, Any]) -> CheckResult:
    kind = server_kind(info)
    if kind.problem:
        return CheckResult("redis", "fail", f"{kind}: {kind.problem}", "docs/redis.md says which servers can be used")
    return CheckResult("redis", "ok", str(kind))


def _topology(info: Mapping[str, Any]) -> CheckResult:
    if int(info.get("cluster_enabled", 0)):
        return CheckResult("redis topology", "fail", "a part of a Redis Cluster", "use one server, or Sentinels")
    if info.get("role") == "slave":
        return CheckResult("redis topology", "ok", f"a replica of {info.get('master_host')}:{info.get('master_port')}")
    replicas = [value for name, value in info.items() if name.removeprefix("slave").isdigit()]
    online = sum(isinstance(one, Mapping) and one.get("state") == "online" for one in replicas)
    if not replicas:
        return CheckResult("redis topology", "ok", "one server without replicas")
    return CheckResult("redis topology", "ok", f"a primary with {online} of {len(replicas)} replicas in step")


def of_replicas(info: Mapping[str, Any], wanted: int, *, several: bool) -> Iterator[CheckResult]:
    """Yield what a failover may lose: `wanted` replicas have a paid call's announcement, `several`: one may happen."""
    if not wanted and not several:
        return
    online = int(info.get("connected_slaves", 0))
    if online < wanted:
        detail = f"{online} replicas of {wanted} that RENDERLINE_WAIT_FOR_REPLICAS needs: no paid call is made"
        yield CheckResult("redis failover", "fail", detail, "start a replica, or lower the setting")
    elif not wanted:
        detail = "a failover may lose the announcement of a paid call, which is then made again"
        yield CheckResult("redis failover", "warn", detail, "set RENDERLINE_WAIT_FOR_REPLICAS=1 (docs/redis.md)")
    else:
        yield CheckResult("redis failover", "ok", f"paid calls wait for {wanted} replicas")


def _role(info: Mapping[str, Any]) -> CheckResult:
    if info.get("role") == "slave":
        return CheckResult("redis role", "fail", "a replica, which takes no writes", "point REDIS_URL at the primary")
    return CheckResult("redis role", "ok", "primary")


def _memory(info: Mapping[str, Any]) -> CheckResult:
    policy, most = str(info.get("maxmemory_policy", "unknown")), int(info.get("maxmemory", 0))
    used = f"{int(info.get('used_memory', 0)) / 2**20:.0f} MB used"
    detail = f"maxmemory-policy {policy}, {used}{f' of {most / 2**20:.0f} MB' if most else ''}"
    if "maxmemory_policy" not in info:
        return CheckResult("redis memory", "warn", detail, f"check yourself that maxmemory-policy is {WANTED_POLICY}")
    if policy != WANTED_POLICY:
        advice = f"set maxmemory-policy {WANTED_POLICY}: any other policy deletes renders when memory is short"
        return CheckResult("redis memory", "fail", detail, advice)
    if most and int(info.get("used_memory", 0)) > most * _FULL:
        return CheckResult("redis memory", "warn", detail, "raise maxmemory, or lower RENDERLINE_RETENTION")
    return CheckResult("redis memory", "ok", detail)


def _persistence(info: Mapping[str, Any], snapshots: bool | None) -> CheckResult:
    if info.get("aof_last_write_status") == "err" or info.get("rdb_last_bgsave_status") == "err":
        return CheckResult(
            "redis persistence", "fail", "the last write to disk failed", "check the server's disk and log"
        )
    if int(info.get("aof_enabled", 0)):
        return CheckResult("redis persistence", "ok", "append-only file")
    if snapshots or (snapshots is None and int(info.get("rdb_saves", 0))):
        detail = "snapshots only: a crash loses all changes after the last one"
        return CheckResult("redis persistence", "warn", detail, "set appendonly yes")
    detail = "nothing is written to disk: a restart of Redis forgets every render"
    return CheckResult("redis persistence", "warn", detail, "set appendonly yes")


def of_disk(how: Persistence) -> CheckResult:
    """Return the result on the possible loss in a power cut."""
    if how.synced:
        return CheckResult("redis power cut", "ok", "every acknowledged write is on disk (appendfsync always)")
    if how.watched:
        detail = "paid calls wait until their announcement is on disk (appendfsync everysec)"
        return CheckResult("redis power cut", "ok", detail)
    detail = f"after a power cut renders may be exported and paid for twice: {how.why}"
    return CheckResult("redis power cut", "warn", detail, "set appendonly yes and appendfsync everysec or always")


def of_clock(ahead: float) -> CheckResult:
    """Return the result on this server's clock, which is `ahead` of this machine's by that many seconds."""
    if abs(ahead) <= SKEWED:
        return CheckResult("clock", "ok", f"within {SKEWED:g} s of the server's")
    side = "behind" if ahead > 0 else "ahead of"
    return CheckResult("clock", "warn", f"{abs(ahead):.0f} s {side} the server's", "synchronise both with NTP")
