"""The Redis client of a process."""

from __future__ import annotations

from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config.settings import Settings
from workers.redis_pool import open_client


def connect(settings: Settings) -> Redis:
    """Return the process's Redis client: short timeouts, and a few quick retries over a broken connection."""
    return open_client(
        settings.redis_url,
        decode_responses=True,
        # Bytes that are not text in one record must not break the other answers on the connection.
        encoding_errors="replace",
        socket_timeout=10,
        socket_connect_timeout=5,
        socket_keepalive=True,
        health_check_interval=15,
        client_name="renderline",
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries=3),
    )
