"""Search: one text, or a filter, finds renders. Every view (HTTP, board, Flower, command line) uses it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from renderline.ledger import Filter, Ledger, Queries
from renderline.ledger.clock import epoch_seconds
from renderline.renders import State

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_PRIORITIES: Final = ("high", "normal", "low")
_LONGEST: Final = 1000
_MOST: Final = 100
"""Terms in one search."""
_MOST_WORDS: Final = 16
"""Words in one search, apart from pairs: each is looked up by itself, and may begin thousands of names."""


class SearchError(ValueError):
    """A search that cannot be understood; the text says why and what is allowed."""


class Found(NamedTuple):
    """One page of results."""

    records: list[dict[str, Any]]
    """Public records, newest first."""
    cursor: str | None
    """Where the next page begins; None: there is none."""


@dataclass(frozen=True)
class Search:
    """Finds renders by a filter or by a text."""

    ledger: Ledger
    queries: Queries

    def find(self, wanted: Filter | str, *, tenant: str | None, limit: int = 100, cursor: str | None = None) -> Found:
        """Return up to `limit` renders, newest first; `tenant` limits them to one tenant (None: all).

        A page may be short, or empty, and still have a cursor. Raises `SearchError` for a text that cannot be
        understood, ValueError for a cursor of another form, `redis.RedisError`.
        """
        if isinstance(wanted, str):
            wanted = parse_search(wanted, now=epoch_seconds(self.ledger.redis.time()))
        if tenant is not None:
            if wanted.tenant not in (None, tenant):
                return Found([], None)
            wanted = replace(wanted, tenant=tenant)
        return Found(*self.queries.page(wanted, limit=limit, cursor=cursor))


def parse_search(text: str, *, now: float, **given: Any) -> Filter:
    """Return the filter of a search text: words, and pairs `field:value`; a field of no other meaning is a metadata
    name. Values with spaces stand in double quotes.

    `now` is in epoch seconds. `given` are fields of the filter that were given beside the text. Raises `SearchError`
    with one sentence, also for a field that is given in both.
    """
    fields: dict[str, Any] = dict(given)
    metadata: list[tuple[str, str]] = [*fields.pop("metadata", ())]
    words: list[str] = []
    for term in _terms(text):
        name, colon, value = term.partition(":")
        if not colon or not name:
            words.append(term)
        elif not value:
            raise SearchError(f"{name}: needs a value, such as {name}:abc")
        elif name.lower() in _FIELDS:
            _add(fields, name.lower(), value, now)
        else:
            metadata.append((name, value))
    whole = " ".join(words)
    if (count := len(whole.split())) > _MOST_WORDS:
        raise SearchError(f"the search has {count} words beside its pairs; at most {_MOST_WORDS} are allowed")
    return Filter(**fields, metadata=tuple(metadata), text=whole)


def _terms(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise SearchError(f"the search has {len(text)} characters; at most {_LONGEST} are allowed")
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split, reader.commenters, reader.quotes, reader.escape = True, "", '"', ""
    try:
        terms = list(reader)
    except ValueError:
        raise SearchError('a double quote (") is not closed; write name:"Customer 317"') from None
    if len(terms) > _MOST:
        raise SearchError(f"the search has {len(terms)} terms; at most {_MOST} are allowed")
    return terms


def _add(fields: dict[str, Any], name: str, value: str, now: float) -> None:
    target, read = _FIELDS[name]
    found = read(name, value, now)
    if isinstance(found, tuple):
        fields[target] = (*fields.get(target, ()), *found)
    elif target in fields:
        raise SearchError(f"{name}: is given twice; once is allowed")
    else:
        fields[target] = found


def _one_of(*allowed: str) -> Callable[[str, str, float], str]:
    def read(name: str, value: str, _now: float) -> str:
        if value.lower() not in allowed:
            raise SearchError(f"{name}:{value} is unknown; it must be one of {', '.join(allowed)}")
        return value.lower()

    return read


def _kind(name: str, value: str, now: float) -> str:
    # Here: of all that kinds import, views that only search would need nothing else.
    from renderline.kinds import KINDS

    return _one_of(*KINDS)(name, value, now)


def _plain(_name: str, value: str, _now: float) -> str:
    return value


def _several(_name: str, value: str, _now: float) -> tuple[str, ...]:
    return (value,)


def _yes_or_no(name: str, value: str, _now: float) -> bool:
    if value.lower() not in ("yes", "no", "true", "false"):
        raise SearchError(f"{name}:{value} is unknown; it must be yes or no")
    return value.lower() in ("yes", "true")


def moment(value: str, *, now: float) -> float:
    """Return epoch seconds of a time: ISO 8601 (UTC, unless it has an offset), or how long ago, such as 30m, 2h or 7d.

    Raises ValueError.
    """
    if ago := re.fullmatch(r"([0-9]{1,9})([smhdw])", value):
        return now - int(ago[1]) * _UNITS[ago[2]]
    read = datetime.fromisoformat(value)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _time(name: str, value: str, now: float) -> float:
    try:
        return moment(value, now=now)
    except (ValueError, OverflowError):
        raise SearchError(
            f"{name}:{value} is no time; write how long ago (30m, 2h, 7d) or ISO 8601 (2026-01-31 or 2026-01-31T12:00Z)"
        ) from None


_FIELDS: Final[dict[str, tuple[str, Callable[[str, str, float], Any]]]] = {
    "id": ("ids", _several),
    "key": ("keys", _several),
    "name": ("name", _plain),
    "state": ("state", _one_of(*(state.value for state in State))),
    "kind": ("kind", _kind),
    "account": ("account", _plain),
    "tenant": ("tenant", _plain),
    "priority": ("priority", _one_of(*_PRIORITIES)),
    "code": ("error_code", _plain),
    "held": ("held", _yes_or_no),
    "since": ("after", _time),
    "after": ("after", _time),
    "until": ("before", _time),
    "before": ("before", _time),
}
