"""Queries over the whole ledger: lists by state and time with a cursor, counts, dead letters, the event stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from renderline.ledger.filter import Filter
from renderline.ledger.keys import list_of
from renderline.ledger.pages import SCAN_LIMIT, Pages
from renderline.ledger.record import iso
from renderline.ledger.store import Ledger

_LAST_NUMBER = 999_999_999
"""Greater than the number of any event within its millisecond."""


class HeldHook(NamedTuple):
    """A hook that is not called because the circuit of its host is open."""

    render_id: str
    hook: int
    """Its place among the render's hooks, from 0."""
    host: str
    seconds: float
    """Seconds for which the circuit of the host has been open."""


class Queries:
    """Queries over all renders."""

    def __init__(self, ledger: Ledger, *, labels: Sequence[str] = ()) -> None:
        """`labels` are the names of the metadata that the words of a search match."""
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self.labels = tuple(labels)
        self._pages = Pages(ledger, self.labels)

    def page(
        self, wanted: Filter, *, limit: int = 100, cursor: str | None = None, scan_limit: int = SCAN_LIMIT
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return up to `limit` records, newest first, and the cursor of the next page (None: no more).

        `cursor` is what the page before returned. Names, labels, keys and ids are found by an index; otherwise at most
        `scan_limit` renders are looked at for one page, so a page may be short, or empty, and still have a
        cursor. Raises ValueError for a cursor of another form.
        """
        return self._pages.page(wanted, limit=limit, cursor=cursor, scan_limit=scan_limit)

    def counts(self, states: Iterable[str]) -> dict[str, int]:
        """Return how many renders are in each of the given states."""
        names = [str(state) for state in states]
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.zcard(self._keys.state(name))
            return dict(zip(names, pipe.execute(), strict=True))

    def dead_letters(self, *, limit: int = 100, tenant: str | None = None) -> list[dict[str, Any]]:
        """Return the dead-lettered hooks, newest first: render id, name, index, type, attempts, error and time.

        `tenant` selects those of one tenant.
        """
        wanted, start = Filter(tenant=tenant), 0
        letters: list[dict[str, Any]] = []
        while len(letters) < limit:
            key = list_of(tenant, self._keys.dead_letters)
            rows: Any = self._redis.zrevrange(key, start, start + limit - 1, withscores=True)
            start += limit
            places = [(*member.rsplit(":", 1), at) for member, at in rows]
            records = self._ledger.records([place[0] for place in places])
            letters += [
                _letter(record, int(index), float(at))
                for (_, index, at), record in zip(places, records, strict=True)
                if record and wanted.owns(record)
            ]
            if tenant is None or len(rows) < limit:
                break
        return letters[:limit]

    def held_hooks(self, ids: Sequence[str]) -> list[HeldHook]:
        """Return the hooks of these renders whose host has an open circuit."""
        held = self._ledger.run("hook_held", json.dumps(list(ids))) if ids else ()
        return [HeldHook(one, int(index), host, float(seconds)) for one, index, host, seconds in held]

    def events(
        self, *, after: str = "$", block: float = 10.0, limit: int = 100
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield the events after the event id `after`: (event id, fields `id`, `state`, `at`, `progress`
        and `tenant`, if it is not the default one).

        `$` means from now on. Waits up to `block` seconds for the first one; yields nothing if none comes.
        """
        answer: Any = self._redis.xread({self._keys.events: after}, count=limit, block=max(1, int(block * 1000)))
        for _, entries in answer or ():
            yield from entries

    def last_event(self) -> str:
        """Return an id to follow on from: all events so far are before it, all others after it.

        Unless there was an event in this millisecond it is made from the server's time. The id of the newest event
        would show a tenant when others are busy.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.xrevrange(self._keys.events, count=1)
            (seconds, microseconds), newest = pipe.execute()
        now = seconds * 1000 + microseconds // 1000
        if newest and _order(newest[0][0]) >= (now, 0):
            return str(newest[0][0])
        return f"{now - 1}-{_LAST_NUMBER}"

    def trimmed(self, event_id: str) -> bool:
        """Return whether some events after this one may already be dropped."""
        key = self._keys.events
        if not self._redis.exists(key):
            return False
        stream: Any = self._redis.xinfo_stream(key)
        oldest = stream["first-entry"]
        return bool(oldest) and stream["entries-added"] > stream["length"] and _order(event_id) < _order(oldest[0])


def _letter(record: dict[str, Any], index: int, at: float) -> dict[str, Any]:
    hook = record["hooks"][index]
    return {
        "id": record["id"],
        "tenant": record["tenant"],
        "name": record["name"],
        "hook": index,
        "type": hook["type"],
        "attempts": hook["attempts"],
        "error": hook["error"],
        "at": iso(at),
    }


def _order(event_id: str) -> tuple[int, int]:
    at, _, number = event_id.partition("-")
    return int(at), int(number)
