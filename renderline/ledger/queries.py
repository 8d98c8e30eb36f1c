"""Queries over the whole ledger: lists by state and time with a cursor, counts, dead letters, the event stream."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from renderline.ledger.filter import Filter, ids_of_keys
from renderline.ledger.keys import list_of
from renderline.ledger.record import iso
from renderline.ledger.store import Ledger
from renderline.tenants import DEFAULT

_SCAN = 200
_AT_ONCE = 1000
_LAST_ID = "f" * 32

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

    def page(
        self, wanted: Filter, *, limit: int = 100, cursor: str | None = None, scan_limit: int = 5000
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return up to `limit` records, newest first, and the cursor of the next page (None: no more).

        `cursor` is what the page before returned. At most `scan_limit` renders are read for one page, so a page may
        be short, or empty, and still have a cursor. Raises ValueError for a cursor of another form.
        """
        ids = self._ids(wanted)
        if ids is not None:
            return self._page_of(ids, wanted, limit=limit, last=_parse(cursor))
        found: list[dict[str, Any]] = []
        scanned = 0
        last: tuple[float, str] | None = _parse(cursor)
        own: tuple[float, str] | None = None
        while scanned < scan_limit:
            chunk = self._chunk(wanted, last)
            if not chunk:
                return found, None
            for record, place in zip(self._ledger.records([one for one, _ in chunk]), chunk, strict=True):
                last = (place[1], place[0])
                scanned += 1
                if wanted.owns(record):
                    own = last
                if record and wanted.takes(record, self.labels):
                    found.append(record)
                    if len(found) == limit:
                        return found, f"{last[0]:.3f}-{last[1]}"
        if last is None:
            return found, None
        if last != own:
            # The cursor must not tell the id of another tenant's render: go on with all of the same instant.
            last = own if own and own[0] == last[0] else (last[0], _LAST_ID)
        return found, f"{last[0]:.3f}-{last[1]}"

    def _ids(self, wanted: Filter) -> list[str] | None:
        """Return the ids of all renders that can match; None: any can."""
        if not wanted.ids and not wanted.keys:
            return None
        tenants = [wanted.tenant] if wanted.tenant else [DEFAULT, *sorted(self._ledger.tenants())]
        return [*wanted.ids, *(one for tenant in tenants for one in ids_of_keys(wanted.keys, tenant))]

    def _page_of(
        self, ids: Sequence[str], wanted: Filter, *, limit: int, last: tuple[float, str] | None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return the page after `last` of the given renders."""
        places = self._places(list(dict.fromkeys(ids)), wanted)
        left = [place for place in places if last is None or place < last]
        found: list[dict[str, Any]] = []
        for start in range(0, len(left), _SCAN):
            some = left[start : start + _SCAN]
            for record, place in zip(self._ledger.records([one for _, one in some]), some, strict=True):
                if record and wanted.takes(record, self.labels):
                    found.append(record)
                    if len(found) == limit:
                        return found, f"{place[0]:.3f}-{place[1]}" if place != left[-1] else None
        return found, None

    def _places(self, ids: Sequence[str], wanted: Filter) -> list[tuple[float, str]]:
        """Return the places of renders in the list that the filter is about, newest first."""
        key = self._list(wanted)
        with self._redis.pipeline(transaction=False) as pipe:
            for start in range(0, len(ids), _AT_ONCE):
                pipe.zmscore(key, list(ids[start : start + _AT_ONCE]))
            scores = [score for some in pipe.execute() for score in some]
        known = [(score, one) for score, one in zip(scores, ids, strict=True) if score is not None]
        return sorted((place for place in known if wanted.after <= place[0] <= wanted.before), reverse=True)

    def _list(self, wanted: Filter) -> str:
        return list_of(wanted.tenant, self._keys.state(wanted.state) if wanted.state else self._keys.renders)

    def _chunk(self, wanted: Filter, last: tuple[float, str] | None) -> list[tuple[str, float]]:
        key = self._list(wanted)
        before = wanted.before if last is None else min(wanted.before, last[0])
        size = _SCAN
        while True:
            rows: Any = self._redis.zrevrangebyscore(key, before, wanted.after, start=0, num=size, withscores=True)
            # Renders of the same instant are in descending order of their ids.
            fresh = [(str(one), float(at)) for one, at in rows if last is None or (float(at), str(one)) < last]
            if fresh or len(rows) < size:
                return fresh
            size *= 2

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


def _parse(cursor: str | None) -> tuple[float, str] | None:
    if not cursor:
        return None
    at, dash, one = cursor.partition("-")
    try:
        if not dash or not one:
            raise ValueError
        return float(at), one
    except ValueError:
        raise ValueError("not a cursor from a list") from None
