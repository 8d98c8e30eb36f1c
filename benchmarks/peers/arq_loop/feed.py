"""`python -m benchmarks.peers.arq_loop.feed`: enqueues the order numbers that it reads, one a line."""

from __future__ import annotations

import asyncio
import os
import sys

from arq import create_pool
from arq.connections import RedisSettings


async def feed() -> None:
    """Enqueue until the input ends."""
    pool = await create_pool(RedisSettings.from_dsn(os.environ["REDIS_URL"]))
    loop = asyncio.get_running_loop()
    print("ready", flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await pool.enqueue_job("render", int(line))
    await pool.aclose()


if __name__ == "__main__":
    asyncio.run(feed())
