"""Keeps what could not be read, with the reason: foreign messages, records that lost a field.

Two streams. In the first only the newest entries are kept, and of each message at most 64 KiB: nothing is lost with it,
because the sweep publishes the messages of accepted renders again. A request that another version may be able to read
exists nowhere else, so it is kept whole in the second one, which drops nothing: when it is full, further requests go to
the first one, and the log and `renderline doctor` say so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import structlog
from redis import Redis

from renderline import contract
from renderline.ledger.keys import PREFIX, Keys

log = structlog.get_logger(__name__)

Kind = Literal["malformed", "unknown task", "later version"]

MOST_ENTRIES = 1000
"""How many of the newest entries of the first stream are kept."""
MOST_BYTES = 64 * 1024
"""How much of one message is kept there; `size` is its whole size."""
MOST_REQUESTS = 10_000
"""How many requests the second stream keeps, whole."""
MOST_REQUEST_BYTES = 64 * 1024 * 1024
"""How many bytes of requests it keeps."""
_LONGEST_REASON = 300
_OF_OTHERS = frozenset({b"unknown task", b"later version"})

Positions = tuple[str, str]
"""The ids of the last entries that were looked at in the two streams."""
BEGIN: Positions = ("0-0", "0-0")
_REQUEST = "request-"
"""Prefix of an entry's id in the second stream."""

# KEYS: requests, counts. ARGV: most entries, most bytes, size, then the fields.
_KEEP = """
local bytes = tonumber(redis.call('HGET', KEYS[2], 'request_bytes') or 0)
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) or bytes + tonumber(ARGV[3]) > tonumber(ARGV[2]) then
  redis.call('HINCRBY', KEYS[2], 'not_kept_whole', 1)
  return 0
end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 4))
redis.call('HINCRBY', KEYS[2], 'request_bytes', ARGV[3])
return 1
"""
# KEYS: stream, counts, queue ('' to drop). ARGV: entry, bytes to give back, the message. Returns whether it was there.
_REMOVE = """
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if ARGV[2] ~= '0' then redis.call('HINCRBY', KEYS[2], 'request_bytes', -tonumber(ARGV[2])) end
if KEYS[3] then redis.call('LPUSH', KEYS[3], ARGV[3]) end
return 1
"""


class EntryNotFound(LookupError):
    """There is no entry with this id; it was dropped, requeued, or had to make room for newer ones."""


class NotRequeued(ValueError):
    """An entry that cannot go back to a queue; the text says why and what to do instead."""


@dataclass(frozen=True)
class Unread:
    """A message that could not be read. `place` is the Redis list that it came from, the queue's by default."""

    raw: bytes
    queue: str
    reason: str
    kind: Kind = "malformed"
    place: str = ""

    @property
    def irreplaceable(self) -> bool:
        """Return whether it may be a request that another version can read: those are kept whole."""
        return self.kind != "malformed" and self.queue == contract.REQUESTS_QUEUE


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
    whole: bool
    """Whether all of a message was kept."""


@dataclass(frozen=True)
class Content:
    """What one message holds: the names of its headers, and its body."""

    headers: tuple[str, ...]
    body: bytes


@dataclass(frozen=True)
class Totals:
    """What has been quarantined: `kept` entries are there now; `seen` counts all messages so far, by queue and kind.

    `not_kept_whole` counts the requests for which there was no room.
    """

    kept: int
    seen: dict[str, int]
    not_kept_whole: int


class Quarantine:
    """Keeps what could not be read, and counts it. Raises `redis.RedisError`.

    `on_action` is called with action, entry id and queue or account after an operator's requeue or drop.
    """

    def __init__(
        self, redis: Redis, *, prefix: str = PREFIX, on_action: Callable[[str, str, str], object] | None = None
    ) -> None:
        keys = Keys(prefix)
        self._redis, self._on_action = redis, on_action or log_action
        self._stream, self._requests, self._counts = keys.quarantine, keys.quarantine_requests, keys.quarantine_counts

    def add_message(self, message: Unread) -> None:
        """Quarantine a message with its raw bytes: whole if no other copy exists and there is room for it."""
        fields: dict[Any, Any] = {
            "what": "message",
            "reason": message.reason[:_LONGEST_REASON],
            "where": message.queue,
            "list": message.place or message.queue,
            "kind": message.kind,
            "size": len(message.raw),
        }
        known = message.queue if message.queue in contract.QUEUES else "other"
        if not self._keep_whole(message, fields):
            fields["raw"] = message.raw[:MOST_BYTES]
            self._redis.xadd(self._stream, fields, maxlen=MOST_ENTRIES, approximate=False)
        self._redis.hincrby(self._counts, "message", 1)
        self._redis.hincrby(self._counts, f"message:{known}:{message.kind}", 1)

    def _keep_whole(self, message: Unread, fields: dict[Any, Any]) -> bool:
        if not message.irreplaceable:
            return False
        flat = [part for pair in {**fields, "raw": message.raw}.items() for part in pair]
        limits = [MOST_REQUESTS, MOST_REQUEST_BYTES, len(message.raw)]
        if self._redis.eval(_KEEP, 2, self._requests, self._counts, *limits, *flat):
            return True
        log.error("quarantine is full: a request stays only until newer entries need its place", bytes=len(message.raw))
        return False

    def entries(self, *, limit: int = 100) -> list[Entry]:
        """Return the newest entries, newest first."""
        found = [_entry(one, fields) for one, fields in self._newest(self._stream, limit)]
        found += [_entry(_REQUEST + _text(one), fields) for one, fields in self._newest(self._requests, limit)]
        return sorted(found, key=lambda entry: (entry.at, entry.id), reverse=True)[:limit]

    def entry(self, entry_id: str) -> Entry:
        """Return one entry; raises `EntryNotFound`."""
        return _entry(entry_id, self._fields(entry_id))

    def content(self, entry_id: str) -> Content | None:
        """Return what a message holds; None for a record. Raises `EntryNotFound`."""
        fields = self._fields(entry_id)
        return _content(fields[b"raw"]) if b"raw" in fields else None

    def drop(self, entry_id: str) -> Entry:
        """Delete an entry and return it; raises `EntryNotFound`. A message is gone then."""
        fields = self._fields(entry_id)
        self._remove(entry_id, fields)
        entry = _entry(entry_id, fields)
        self._on_action("dropped", entry_id, entry.where)
        return entry

    def requeue(self, entry_id: str) -> Entry:
        """Put a message back into its queue, unchanged, and return its entry; raises `EntryNotFound` or `NotRequeued`.

        A worker that cannot read it either quarantines it again.
        """
        fields = self._fields(entry_id)
        entry = _entry(entry_id, fields)
        if why := _why_not(entry):
            raise NotRequeued(why)
        self._remove(entry_id, fields, into=fields.get(b"list", entry.where))
        self._on_action("requeued", entry_id, entry.where)
        return entry

    def left_for_others(self, after: Positions, *, limit: int = 500) -> tuple[list[tuple[str, bytes]], Positions]:
        """Return messages that another version may be able to read, oldest first, as entry id and raw bytes.

        `after` is what the call before returned (`BEGIN`: from the first one); with it each entry is returned once.
        """
        found, reached = [], []
        for stream, prefix, last in zip((self._stream, self._requests), ("", _REQUEST), after, strict=True):
            rows: Any = self._redis.execute_command(
                "XRANGE", stream, f"({last}", "+", "COUNT", limit, NEVER_DECODE=True
            )
            reached.append(_text(rows[-1][0]) if rows else last)
            for one, fields in rows:
                raw = fields.get(b"raw", b"")
                if fields.get(b"kind") in _OF_OTHERS and len(raw) == int(fields[b"size"]):
                    found.append((prefix + _text(one), raw))
        return found, (reached[0], reached[1])

    def totals(self) -> Totals:
        """Return how much is kept, and how much there has been."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.xlen(self._stream)
            pipe.xlen(self._requests)
            pipe.hgetall(self._counts)
            entries, requests, found = pipe.execute()
        counts = {_text(name): int(value) for name, value in found.items()}
        seen = {
            name.removeprefix("message:").replace(":", " ", 1): count
            for name, count in sorted(counts.items())
            if name.startswith("message:")
        }
        return Totals(entries + requests, seen, counts.get("not_kept_whole", 0))

    def _newest(self, stream: str, limit: int) -> Any:
        # The bytes of a message need not be text, so the client must not decode them.
        return self._redis.execute_command("XREVRANGE", stream, "+", "-", "COUNT", limit, NEVER_DECODE=True)

    def _fields(self, entry_id: str) -> dict[bytes, bytes]:
        stream, one = self._place(entry_id)
        found: Any = self._redis.execute_command("XRANGE", stream, one, one, NEVER_DECODE=True)
        if not found:
            raise EntryNotFound(entry_id)
        return dict(found[0][1])

    def _remove(self, entry_id: str, fields: dict[bytes, bytes], *, into: Any = None) -> None:
        stream, one = self._place(entry_id)
        raw = fields.get(b"raw", b"")
        given_back = len(raw) if stream == self._requests else 0
        keys = [stream, self._counts, *([into] if into else [])]
        if not self._redis.eval(_REMOVE, len(keys), *keys, one, given_back, raw):
            raise EntryNotFound(entry_id)

    def _place(self, entry_id: str) -> tuple[str, str]:
        """Return the stream of an entry, and its id there; raises `EntryNotFound` for what is no id."""
        one = entry_id.removeprefix(_REQUEST)
        time, dash, number = one.partition("-")
        if not (dash and all(part.isascii() and part.isdigit() and len(part) < 20 for part in (time, number))):
            raise EntryNotFound(entry_id)
        return (self._stream if one == entry_id else self._requests), one


def _entry(one: Any, fields: Any) -> Entry:
    known = {_text(name): _text(value) for name, value in fields.items() if _text(name) != "raw"}
    entry_id = _text(one)
    size = int(known.get("size", 0))
    return Entry(
        id=entry_id,
        what=known.get("what", ""),
        reason=known.get("reason", ""),
        where=known.get("where", ""),
        at=int(entry_id.removeprefix(_REQUEST).partition("-")[0]) / 1000,
        size=size,
        render_id=known.get("id"),
        whole=len(fields.get(b"raw", b"")) == size and known.get("what") == "message",
    )


def _why_not(entry: Entry) -> str | None:
    if entry.what != "message":
        return (
            f"it is the record of render {entry.render_id}, not a message: look at its fields (HGETALL), "
            "then cancel the render or enqueue its request again under another key, and drop this entry"
        )
    if entry.where not in contract.QUEUES:
        return f"it was found in {entry.where}, and only messages of {', '.join(contract.QUEUES)} go back to a queue"
    if not entry.whole:
        return f"only {MOST_BYTES} of its {entry.size} bytes were kept: its sender must send it again"
    return None


def _content(raw: bytes) -> Content:
    try:
        message = json.loads(raw)
        headers = tuple(f"{name}"[:100] for name in message["headers"])
        body = message["body"]
        if message["properties"].get("body_encoding") == "base64":
            return Content(headers, base64.b64decode(body))
        return Content(headers, body.encode(errors="replace"))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return Content((), raw)


def log_action(action: str, entry_id: str, where: str) -> None:
    log.warning("quarantine entry taken", action=action, entry=entry_id, where=where)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
