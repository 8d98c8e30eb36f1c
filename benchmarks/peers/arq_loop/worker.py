"""The arq worker: `python -m arq benchmarks.peers.arq_loop.worker.Settings`. Runs in the peers' own environment."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp
from arq import Retry
from arq.connections import RedisSettings

_BODY = json.loads(Path(os.environ["VENDOR_BODY"]).read_text())
_ROOT = "/api/odin/v3"
_CREDENTIALS = {"appId": "studioV3.arq", "userKey": "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}
_POLL_EVERY = float(os.environ["POLL_EVERY"])


async def _start(ctx: dict[str, Any]) -> None:
    timeout = aiohttp.ClientTimeout(total=30)
    connector = aiohttp.TCPConnector(limit=256)
    ctx["vendor"] = aiohttp.ClientSession(os.environ["VENDOR_URL"], timeout=timeout, connector=connector)
    async with ctx["vendor"].post(f"{_ROOT}/auth/token", json=_CREDENTIALS) as answer:
        token = (await answer.json())["data"]["token"]
    ctx["vendor"].headers["Authorization"] = token
    ctx["endpoint"] = aiohttp.ClientSession(timeout=timeout)


async def _stop(ctx: dict[str, Any]) -> None:
    await ctx["vendor"].close()
    await ctx["endpoint"].close()


async def _call(ctx: dict[str, Any], method: str, path: str, body: Any = None) -> dict[str, Any]:
    async with ctx["vendor"].request(method, f"{_ROOT}{path}", json=body) as answer:
        answer.raise_for_status()
        data: dict[str, Any] = (await answer.json())["data"]
        return data


async def render(ctx: dict[str, Any], order: int) -> None:
    """Create and export in one call, poll until the video is ready, call the endpoint; a fault repeats all of it."""
    try:
        made = await _call(ctx, "POST", "/editor/project", {**_BODY, "name": f"Order {order}", "isExport": True})
        while True:
            await asyncio.sleep(_POLL_EVERY)
            seen = await _call(ctx, "GET", f"/editor/progress/{made['projectId']}")
            if seen["progress"] >= 100 and seen.get("downloadUrl"):
                break
        event = {"type": "render.completed", "data": {"metadata": {"order": str(order)}}}
        async with ctx["endpoint"].post(os.environ["HOOK_URL"], json=event) as answer:
            answer.raise_for_status()
    except aiohttp.ClientError:
        raise Retry(defer=ctx["job_try"] * 2) from None


class Settings:
    """Options of arq: any number of renders at once, each with an hour of time."""

    functions = (render,)
    on_startup = _start
    on_shutdown = _stop
    redis_settings = RedisSettings.from_dsn(os.environ["REDIS_URL"])
    max_jobs = 20_000
    job_timeout = 3600
    keep_result = 0
    # The default of half a second would be most of the lag.
    poll_delay = 0.05
