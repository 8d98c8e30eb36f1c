"""What the Redis server must be like for the ledger to be kept there."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError

WANTED_POLICY = "noeviction"


def policy_problem(redis: Redis) -> str | None:
    """Return why this server might throw renders away when its memory is short, None if it will not.

    A server that does not say (some hosted ones hide it) is believed. Raises `redis.RedisError` if it does not answer.
    """
    try:
        memory: Any = redis.info("memory")
    except NoPermissionError:
        return None
    policy = memory.get("maxmemory_policy", WANTED_POLICY)
    if policy == WANTED_POLICY:
        return None
    return (
        f"its maxmemory-policy is {policy}, with which it throws renders away when memory is short; "
        f"set it to {WANTED_POLICY}"
    )
