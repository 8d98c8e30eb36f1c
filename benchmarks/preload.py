"""Puts many renders in flight directly in the ledger: accepted, submitted, rendering."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from redis import Redis

from benchmarks.system import order
from renderline.ledger import Entry, Ledger
from renderline.requests import RenderRequest, load_request

_CHUNK = 500
_DEADLINE = 2 * 86400.0
_SLOTS = 8


def put_in_flight(redis_url: str, count: int, *, poll_in: float, first: int = 0) -> int:
    """Record `count` renders, numbered from `first`, as rendering; returns the bytes of their payload.

    Their first poll is due in `poll_in` seconds. The stub reports unknown projects as still rendering.
    """
    template = load_request({**order(0, ""), "hooks": []}, accounts=["default"], hook_kinds={}, max_bytes=1 << 20)
    payload = 0
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        ledger = Ledger(redis)
        numbers = iter(range(first, first + count))
        while chunk := list(islice(numbers, _CHUNK)):
            entries = [_entry(number, template) for number in chunk]
            payload += sum(len(entry.body) + len(json.dumps(entry.meta)) for entry in entries)
            with redis.pipeline(transaction=False) as pipe:
                for entry in entries:
                    ledger.run("accept", *entry.arguments(), client=pipe)
                pipe.execute()
            for entry in entries:
                # These keep their answers for a repeated call, and so cannot be queued.
                claim = ledger.claim_submission(entry.render_id, lease=30.0, calls=2)
                assert claim
                ledger.start(claim, confirmed=True, project_id=f"f{entry.render_id[:23]}", poll_in=poll_in)
    return payload


def _entry(number: int, template: RenderRequest) -> Entry:
    return Entry(
        f"{number:032x}",
        kind=template.kind,
        account=template.account,
        priority=template.priority,
        deadline=_DEADLINE,
        meta={"name": f"Order {number}", "hooks": [], "metadata": {"order": str(number)}},
        body=template.body_json(),
        fingerprint=template.fingerprint(),
    )


def make_due(redis_url: str, *, at: float) -> None:
    """Make every poll of the account due at `at` (epoch seconds)."""
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        key = Ledger(redis).keys.due("default")
        for chunk in _chunks(iter(redis.zrange(key, 0, -1))):
            redis.zadd(key, dict.fromkeys(chunk, at))
        # The pumps are dead, or sleep until the earlier first poll. Forget them, so that the sweep starts new ones. Do
        # that last: an earlier sweep would start a pump for the old times.
        fields = [f"{slot}:{name}" for slot in range(_SLOTS) for name in ("at", "busy")]
        redis.hdel(Ledger(redis).keys.pump("default"), *fields)


def _chunks(members: Iterator[str]) -> Iterator[list[str]]:
    while chunk := list(islice(members, _CHUNK)):
        yield chunk
