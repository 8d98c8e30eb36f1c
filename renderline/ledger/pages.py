"""Pages of renders that match a filter, newest first: from the indexes if they can tell, else by looking through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from renderline.ledger.filter import Filter, ids_of_keys
from renderline.ledger.keys import list_of
from renderline.ledger.store import Ledger
from renderline.ledger.text_index import MOST, TextIndex
from renderline.tenants import DEFAULT

Record = dict[str, Any]
Place = tuple[float, str]
"""Where a render is in a list: its time, then its id."""

_ROWS: Final = 200
"""Renders that one step looks at. Redis is blocked meanwhile, for a millisecond or so."""
_SCORES: Final = 1000
_READ_AT_ONCE: Final = 100
_LAST_ID: Final = "f" * 32
# Python reads more numbers than Redis does, such as nan and 1_0.
_CURSOR: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)-(\S{1,100})", re.ASCII)
_LONGEST_NEEDLE: Final = 200
_PAIRS: Final = 4
"""Pairs of metadata that the script compares. Those after them are compared here, in the renders that have these."""
SCAN_LIMIT: Final = 20_000


class Pages:
    """Finds renders. Every method raises `redis.RedisError` if the server cannot be reached."""

    def __init__(self, ledger: Ledger, labels: Sequence[str] = ()) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self._labels, self._index = tuple(labels), TextIndex(ledger, labels)

    def page(
        self, wanted: Filter, *, limit: int, cursor: str | None, scan_limit: int
    ) -> tuple[list[Record], str | None]:
        """Return a page, as `Queries.page` does."""
        last = _parse(cursor)
        candidates = self._candidates(wanted)
        if candidates is None:
            return self._look_through(wanted, limit=limit, last=last, scan_limit=scan_limit)
        return self._choose(candidates, wanted, limit=limit, last=last)

    # -- the renders that can match, where an index tells

    def _candidates(self, wanted: Filter) -> set[str] | None:
        """Return the ids of all renders that can match, and maybe more; None: any can."""
        if wanted.ids or wanted.keys:
            return {*wanted.ids, *self._of_keys(wanted.keys, wanted.tenant)}
        if wanted.held:
            held: Any = self._redis.zrange(list_of(wanted.tenant, self._keys.held), 0, MOST)
            return set(map(str, held)) if len(held) <= MOST else None
        for found in self._by_texts(wanted):
            if found is not None:
                return found
        return None

    def _by_texts(self, wanted: Filter) -> Iterator[set[str] | None]:
        tenant = wanted.tenant
        for label, value in wanted.metadata:
            yield self._index.with_label(label, value, tenant=tenant)
        if wanted.name:
            yield self._index.with_name(wanted.name, tenant=tenant)
        words = wanted.text.split()
        if not words:
            return
        # All words together begin a text; or one of them does, and the others match too. A word that very many have
        # does not count as the one, unless it is alone.
        texts = dict.fromkeys([wanted.text, *words])
        hits = [some for text in texts if (some := self._index.with_text(text, tenant=tenant)) is not None]
        if hits and (len(hits) == len(texts) or set().union(*hits)):
            yield {*set().union(*hits), *(word.lower() for word in words), *self._of_keys(words, tenant)}

    def _of_keys(self, keys: Sequence[str], tenant: str | None) -> list[str]:
        tenants = [tenant] if tenant else [DEFAULT, *self._ledger.tenants()] if keys else []
        return [one for name in tenants for one in ids_of_keys(keys, name)]

    def _choose(
        self, candidates: set[str], wanted: Filter, *, limit: int, last: Place | None
    ) -> tuple[list[Record], str | None]:
        """Return the page after `last` of those that match among the candidates."""
        places = [place for place in self._places(sorted(candidates), wanted) if last is None or place < last]
        conditions = _conditions(wanted)
        found: list[Record] = []
        for start in range(0, len(places), _ROWS):
            some = places[start : start + _ROWS]
            same = set(self._ledger.run("renders_matching", conditions, "", *(one for _, one in some)))
            for record, place in self._read([place for place in some if place[1] in same], limit - len(found)):
                if record and wanted.takes(record, self._labels):
                    found.append(record)
                    if len(found) == limit:
                        return found, _cursor(place) if place != places[-1] else None
        return found, None

    def _places(self, ids: Sequence[str], wanted: Filter) -> list[Place]:
        """Return the places of renders in the list that the filter is about, newest first."""
        with self._redis.pipeline(transaction=False) as pipe:
            for start in range(0, len(ids), _SCORES):
                pipe.zmscore(self._list(wanted), list(ids[start : start + _SCORES]))
            scores = [score for some in pipe.execute() for score in some]
        places = [(float(score), one) for score, one in zip(scores, ids, strict=True) if score is not None]
        return sorted((place for place in places if wanted.after <= place[0] <= wanted.before), reverse=True)

    # -- looking through a list

    def _look_through(
        self, wanted: Filter, *, limit: int, last: Place | None, scan_limit: int
    ) -> tuple[list[Record], str | None]:
        conditions = _conditions(wanted)
        found: list[Record] = []
        own: Place | None = None
        seen = read = 0
        # A record that only Python can judge is read over the network: fewer of them in one page.
        while seen < scan_limit and read <= scan_limit // 4:
            ended, rows, *answer = self._step(conditions, wanted, last, min(_ROWS, scan_limit - seen))
            places = [(float(score), str(one)) for one, score in zip(answer[4::2], answer[5::2], strict=True)]
            seen += rows
            for record, place in self._read(places, limit - len(found)):
                read += 1
                if record and wanted.takes(record, self._labels):
                    found.append(record)
                    if len(found) == limit:
                        return found, _cursor(place)
            if ended:
                return found, None
            last = (float(answer[0]), str(answer[1]))
            own = (float(answer[2]), str(answer[3])) if answer[2] else own
        if last is None:
            return found, None
        if wanted.tenant is not None and last != own:
            # The cursor must not tell the id of another tenant's render: go on with all of the same instant.
            last = own if own and own[0] == last[0] else (last[0], _LAST_ID)
        return found, _cursor(last)

    def _step(self, conditions: str, wanted: Filter, last: Place | None, rows: int) -> list[Any]:
        score, one = (repr(last[0]), last[1]) if last else ("", "")
        answer: list[Any] = self._ledger.run(
            "renders_matching", conditions, self._list(wanted), rows, wanted.before, wanted.after, score, one
        )
        return answer

    # -- shared

    def _list(self, wanted: Filter) -> str:
        return list_of(wanted.tenant, self._keys.state(wanted.state) if wanted.state else self._keys.renders)

    def _read(self, places: Sequence[Place], wanted: int) -> Iterator[tuple[Record | None, Place]]:
        """Yield records with their places; about as many as are wanted are read at once."""
        size = max(10, min(wanted, _READ_AT_ONCE))
        for start in range(0, len(places), size):
            some = places[start : start + size]
            yield from zip(self._ledger.records([one for _, one in some]), some, strict=True)


def _conditions(wanted: Filter) -> str:
    """Return what the script compares; the rest is compared in Python."""
    plain = {name: getattr(wanted, name) for name in ("kind", "account", "priority", "error_code", "tenant", "held")}
    given = {name: value for name, value in plain.items() if value is not None}
    needles = [needle for name, value in wanted.metadata[:_PAIRS] for needle in _needles(name, value)]
    return json.dumps({**given, **({"needles": needles} if needles else {})})


def _needles(name: str, value: str) -> list[str]:
    """Return texts that the JSON of a record's fixed data has if this is in its metadata."""
    # Python and JSON write words (True), lists and objects in other ways.
    same = re.fullmatch(r"[\w .:/@-]*", value, re.ASCII) and value not in ("True", "False", "None")
    return [one for one in (f"{json.dumps(name)}:", value if same else "") if 0 < len(one) <= _LONGEST_NEEDLE]


def _cursor(place: Place) -> str:
    return f"{place[0]:.3f}-{place[1]}"


def _parse(cursor: str | None) -> Place | None:
    if not cursor:
        return None
    if not (found := _CURSOR.fullmatch(cursor)):
        raise ValueError("not a cursor from a list")
    return float(found[1]), found[2]
