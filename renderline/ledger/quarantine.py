"""Keeps what could not be read, with the reason: foreign messages, records that lost a field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import Redis

from renderline.ledger.keys import PREFIX, Keys

MOST_ENTRIES = 1000
"""How many of the newest entries are kept."""
MOST_BYTES = 128 * 1024
"""How much of one message is kept; `size` is its whole size."""
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Entry:
    """One thing in quarantine. `what` is `message` or `record`, `where` its queue or account. It shows no content."""

    id: str
    what: str
    reason: str
    where: str
    at: float
    """When it was quarantined, in epoch seconds."""
    size: int
    render_id: str | None


class Quarantine:
    """Keeps the newest entries and counts all of them. Raises `redis.RedisError`."""

    def __init__(self, redis: Redis, *, prefix: str = PREFIX) -> None:
        self._redis, self._stream, self._counts = redis, Keys(prefix).quarantine, Keys(prefix).quarantine_counts

    def add_message(self, raw: bytes, *, queue: str, reason: str) -> None:
        """Quarantine a message with its raw bytes."""
        fields: dict[Any, Any] = {
            "what": "message",
            "reason": reason[:_LONGEST_REASON],
            "where": queue,
            "size": len(raw),
            "raw": raw[:MOST_BYTES],
        }
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(self._stream, fields, maxlen=MOST_ENTRIES, approximate=False)
            pipe.hincrby(self._counts, "message", 1)
            pipe.execute()

    def entries(self, *, limit: int = 100) -> list[Entry]:
        """Return the newest entries, newest first."""
        # The bytes of a message need not be text, so the client must not decode them.
        rows: Any = self._redis.execute_command("XREVRANGE", self._stream, "+", "-", "COUNT", limit, NEVER_DECODE=True)
        return [_entry(one, fields) for one, fields in rows]

    def size(self) -> int:
        """Return how many entries are kept."""
        return int(self._redis.xlen(self._stream))


def _entry(one: Any, fields: Any) -> Entry:
    known = {_text(name): _text(value) for name, value in fields.items() if _text(name) != "raw"}
    return Entry(
        id=_text(one),
        what=known.get("what", ""),
        reason=known.get("reason", ""),
        where=known.get("where", ""),
        at=int(_text(one).partition("-")[0]) / 1000,
        size=int(known.get("size", 0)),
        render_id=known.get("id"),
    )


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
