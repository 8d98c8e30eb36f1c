"""The check that Redis does not evict keys when its memory is full."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import NoPermissionError

WANTED_POLICY = "noeviction"


def policy_problem(redis: Redis) -> str | None:
    """Return why this server might evict renders when its memory is full; None if it will not.

    Some hosted servers hide the setting; they are trusted. Raises `redis.RedisError` if it does not answer.
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
