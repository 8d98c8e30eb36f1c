"""Very many ended renders in a ledger, with names and labels: a week's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Final

from redis import Redis

from benchmarks.system import order
from renderline.contract import render_id_for_key
from renderline.ledger import Entry, Ledger
from renderline.ledger.indexed import member_of
from renderline.requests import load_request

LABELS: Final = ("customer", "order", "campaign")
FAILED_EVERY: Final = 97
_WEEK: Final = 7 * 86_400.0
_CHUNK: Final = 500
_FIRST_NAMES: Final = ("Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Radia", "Tim", "Margaret", "Linus")

# What the steps of an ended render leave, without their work: a thousand renders in a few milliseconds.
_FILL = """
local prefix, kind, account, body = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local n = 5
while n <= #ARGV do
  local id, at, state, code, meta, fingerprint, texts = unpack(ARGV, n, n + 6)
  local key = prefix .. 'render:' .. id
  redis.call('HSET', key, 'state', state, 't:accepted', at, 'kind', kind, 'account', account, 'priority', 'normal',
    'fingerprint', fingerprint, 'deadline', '3600.0', 'hooks', '0', 'attempt', '1', 'stage', '', 't:' .. state, at,
    'counted', '0:' .. state)
  if code ~= '' then redis.call('HSET', key, 'error_code', code, 'error_message', 'No', 'error_origin', 'vendor') end
  redis.call('SET', prefix .. 'meta:' .. id, meta)
  redis.call('SET', prefix .. 'body:' .. id, body)
  redis.call('ZADD', prefix .. 'renders', at, id)
  redis.call('ZADD', prefix .. 'state:' .. state, at, id)
  redis.call('HINCRBY', prefix .. 'statistics:0', state .. '|' .. kind .. '|' .. account, 1)
  for m = n + 7, n + 6 + texts, 2 do
    local list = ARGV[m] == '' and 'names' or 'labels:' .. ARGV[m]
    redis.call('ZADD', prefix .. list, 0, ARGV[m + 1])
  end
  n = n + 7 + texts
end
"""
_META, _BODY, _TEXTS = 7, 8, 19
"""Where an entry's arguments have its fixed data, its body, and the texts by which it is found."""


def render_id(number: int) -> str:
    """Return the id of a render: that of the idempotency key `order-<number>`."""
    return render_id_for_key(f"order-{number}")


def meta_of(number: int) -> dict[str, Any]:
    """Return the name and metadata of a render."""
    metadata = {"customer": number // 3, "order": f"A-{number}", "campaign": f"spring-{number % 1000}"}
    return {"name": f"Offer for {_FIRST_NAMES[number % 10]}, customer {number}", "hooks": [], "metadata": metadata}


class Archive:
    """So many renders that were accepted evenly over a week; each 97th failed, the others are delivered.

    Without `named` they have no name, and no labels that are indexed.
    """

    def __init__(self, redis: Redis, count: int, *, named: bool = True) -> None:
        self._redis, self._count, self._named = redis, count, named
        self._begin = self._now = time.time() - _WEEK
        self.ledger = Ledger(redis, clock=lambda: self._now)
        template = load_request({**order(0, ""), "hooks": []}, accounts=["default"], hook_kinds={}, max_bytes=1 << 20)
        self._body, self._fingerprint = template.body_json(), template.fingerprint()

    def accepted_at(self, number: int) -> float:
        """Return when a render was accepted."""
        return self._begin + number * _WEEK / self._count

    def code_of(self, number: int) -> str:
        """Return the error code of a render; empty if it was delivered."""
        return str(50_000 + number % 50) if number % FAILED_EVERY == 0 else ""

    def fill(self) -> None:
        """Write all of them as they are when they have ended."""
        self.ledger.accept(self._entry(0))
        self._check()
        self._redis.delete(*self._redis.scan_iter(f"{self.ledger.prefix}*", count=1000))
        self._redis.hset(self.ledger.keys.indexed, mapping=dict.fromkeys(("", *LABELS), "0"))
        fill = self._redis.register_script(_FILL)
        for chunk in self._chunks():
            parts = [part for number in chunk for part in self._parts(number)]
            fill(args=[self.ledger.prefix, "project", "default", self._body, *parts])

    def accept(self) -> None:
        """Accept all of them by the step of the workers."""
        for chunk in self._chunks():
            with self._redis.pipeline(transaction=False) as pipe:
                for number in chunk:
                    self.ledger.run("accept", *self._entry(number).arguments(), client=pipe)
                pipe.execute()

    def end(self) -> None:
        """Have all of them failed."""
        for chunk in self._chunks():
            for number in chunk:
                self.ledger.fail(render_id(number), code="1", message="no", origin="vendor")

    def forget(self) -> None:
        """Forget all of them by the step of the sweep."""
        self._now = time.time() + _WEEK
        assert self.ledger.forget(retention=60.0) == self._count

    def _chunks(self) -> Iterator[range]:
        for first in range(0, self._count, _CHUNK):
            yield range(first, min(first + _CHUNK, self._count))

    def _entry(self, number: int) -> Entry:
        meta = meta_of(number) if self._named else {**meta_of(number), "name": ""}
        labels = LABELS if self._named else ()
        known = (render_id(number), "project", "default", "normal", 3600.0)
        return Entry(*known, meta, self._body, self._fingerprint, labels=labels)

    def _parts(self, number: int) -> list[Any]:
        given = self._entry(number).arguments()
        code, texts = self.code_of(number), list(given[_TEXTS:])
        texts[1::2] = [member_of(text, given[0]) for text in texts[1::2]]
        state = "failed" if code else "delivered"
        at = f"{self.accepted_at(number):.3f}"
        return [given[0], at, state, code, given[_META], self._fingerprint, len(texts), *texts]

    def _check(self) -> None:
        """Assert that what is written for an ended render is what the step leaves."""
        given = self._entry(0).arguments()
        keys = self.ledger.keys
        assert [self._redis.get(keys.meta(given[0])), self._redis.get(keys.body(given[0]))] == [
            given[_META],
            given[_BODY],
        ]
        flat = given[_TEXTS:]
        for name, text in zip(flat[::2], flat[1::2], strict=True):
            assert self._redis.zscore(keys.texts(name), member_of(text, given[0])) == 0
