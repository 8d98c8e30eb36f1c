"""Checks that the Redis server never evicts renders."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError

WANTED_POLICY = "noeviction"


def policy_problem(redis: Redis) -> str | None:
    """Return why this server may evict renders when its memory is short, None if it never does.

    A server that does not show its policy (some hosted ones hide it) passes. Raises `redis.RedisError` if it does not
    answer.
    """
    try:
        memory: Any = redis.info("memory")
    except NoPermissionError:
        return None
    policy = memory.get("maxmemory_policy", WANTED_POLICY)
    if policy == WANTED_POLICY:
        return None
    return f"its maxmemory-policy is {policy}, which evicts renders when memory is short; set it to {WANTED_POLICY}"
