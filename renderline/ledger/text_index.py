"""The index of names and labels: sorted sets in lexicographic order, which the ledger's scripts keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from renderline.ledger.indexed import END, NAME, folded, id_of
from renderline.ledger.keys import list_of
from renderline.ledger.store import Ledger
from renderline.tenants import DEFAULT

MOST: Final = 10_000
"""So many renders are taken from the index. What finds more is found as fast by looking through the newest."""
_AT_ONCE: Final = 1000
_LISTS_AT_ONCE: Final = 100
_Range = tuple[str, bytes, bytes]


class TextIndex:
    """Finds the ids of renders by the beginning of their name, of a word in it, or by a label.

    Every method returns None if the index cannot tell: it is not complete (`renderline reindex` makes it so), or finds
    more than `MOST`. Raises `redis.RedisError`.
    """

    def __init__(self, ledger: Ledger, labels: Sequence[str]) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self._lists = (NAME, *labels)

    def with_label(self, label: str, value: str, *, tenant: str | None) -> set[str] | None:
        """Return the renders whose label has this value; those of another case too."""
        text = folded(value)
        if not text or label not in self._lists[1:] or not self._complete([label]):
            return None
        exact = text.encode() + END.encode()
        return self._ids([(label, b"[" + exact, b"[" + exact + b"\xff")], tenant)

    def with_name(self, beginning: str, *, tenant: str | None) -> set[str] | None:
        """Return the renders whose name, or a word in it, begins like that."""
        text = folded(beginning)
        return self._ids([_beginning(NAME, text)], tenant) if text and self._complete([NAME]) else None

    def with_text(self, beginning: str, *, tenant: str | None) -> set[str] | None:
        """Return the renders whose name, a word in it, or a label begins like that."""
        text = folded(beginning)
        if not text or not self._complete(self._lists):
            return None
        return self._ids([_beginning(one, text) for one in self._lists], tenant)

    def _complete(self, lists: Sequence[str]) -> bool:
        """Return whether these lists have all renders that there are."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(self._keys.indexed, list(lists))
            pipe.zrange(self._keys.renders, 0, 0, withscores=True)
            since, oldest = pipe.execute()
        return not oldest or all(one is not None and float(one) <= oldest[0][1] for one in since)

    def _ids(self, ranges: Iterable[_Range], tenant: str | None) -> set[str] | None:
        tenants = [tenant] if tenant else [DEFAULT, *sorted(self._ledger.tenants())]
        left = [(list_of(one, self._keys.texts(name)), low, high) for one in tenants for name, low, high in ranges]
        found: set[str] = set()
        while left:
            now, left = left[:_LISTS_AT_ONCE], left[_LISTS_AT_ONCE:]
            with self._redis.pipeline(transaction=False) as pipe:
                for key, low, high in now:
                    pipe.zrangebylex(key, low, high, start=0, num=_AT_ONCE)
                answers: list[Any] = pipe.execute()
            for (key, _, high), members in zip(now, answers, strict=True):
                found.update(id_of(str(member)) for member in members)
                if len(members) == _AT_ONCE:
                    left.append((key, b"(" + str(members[-1]).encode(), high))
            if len(found) > MOST:
                return None
        return found


def _beginning(name: str, text: str) -> _Range:
    return name, b"[" + text.encode(), b"[" + text.encode() + b"\xff"
