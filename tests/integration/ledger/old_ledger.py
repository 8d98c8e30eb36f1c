"""A ledger of schema 1 as it was dumped, with renders in every state, and the text of a request that it stored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from redis import Redis

_FOLDER = Path(__file__).parent / "schema_1"
DUMP: dict[str, Any] = json.loads((_FOLDER / "ledger.json").read_text())
BODY = (_FOLDER / "body.json").read_text()
"""What schema 1 stored under `body:<id>`: the whole request."""


def load(redis: Redis) -> None:
    """Write the dump as it was."""
    with redis.pipeline() as pipe:
        for key, entry in DUMP["keys"].items():
            value = entry["value"]
            match entry["type"]:
                case "string":
                    pipe.set(key, value)
                case "hash":
                    pipe.hset(key, mapping=value)
                case "set":
                    pipe.sadd(key, *value)
                case "zset":
                    pipe.zadd(key, dict(value))
                case "list":
                    pipe.rpush(key, *value)
                case "stream":
                    for one, fields in value:
                        pipe.xadd(key, fields, id=one)
            if entry["left"] > 0:
                # Enough for a slow test: none of them may expire before it is looked at.
                pipe.pexpire(key, entry["left"] + 600_000)
        pipe.execute()
