"""Indexes and counts all renders anew: those of older versions, and after the labels have changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from renderline.ledger.indexed import NAME, flat, id_of, texts_of, with_texts
from renderline.ledger.keys import list_of
from renderline.ledger.labels import shown_json, shown_labels
from renderline.ledger.parsing import answers_of
from renderline.ledger.record import UNREADABLE, load_meta
from renderline.ledger.store import Ledger
from renderline.tenants import DEFAULT

_AT_ONCE: Final = 200


@dataclass
class Reindexed:
    """What a run has done so far."""

    seen: int = 0
    """Renders that were looked at; one that moves meanwhile may be looked at twice."""
    unreadable: list[str] = field(default_factory=list)
    """Renders whose data cannot be read: they are found by their id alone."""
    dropped: int = 0
    """Entries of forgotten renders that were taken off the indexes."""
    done: bool = False
    """Whether it was completed. Otherwise another run began meanwhile, and completes it."""


class Reindex:
    """Walks through all renders in small steps. Safe while workers run, and to repeat. Raises `redis.RedisError`."""

    def __init__(self, ledger: Ledger, labels: Sequence[str]) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self._labels = tuple(labels)

    def run(self) -> Iterator[Reindexed]:
        """Index and count all renders; yields the progress after each step, the same object each time."""
        outcome = Reindexed()
        generation = str(self._ledger.run("reindex_begin"))
        before = self._known_lists()
        cursor = 0
        while True:
            cursor, rows = self._redis.zscan(self._keys.renders, cursor=cursor, count=_AT_ONCE)
            self._index([str(one) for one, _ in rows], outcome)
            yield outcome
            if not cursor:
                break
        for name in sorted({NAME, *self._labels, *before}):
            for tenant in self._tenants():
                for dropped in self._drop_gone(list_of(tenant, self._keys.texts(name))):
                    outcome.dropped += dropped
                    yield outcome
        outcome.done = bool(self._ledger.run("reindex_end", generation, *self._labels))
        if outcome.done:
            self._forget_old(generation, before)
        yield outcome

    def _index(self, ids: Sequence[str], outcome: Reindexed) -> None:
        metas: Any = self._redis.mget([self._keys.meta(one) for one in ids]) if ids else []
        with self._redis.pipeline(transaction=False) as pipe:
            for one, text in zip(ids, metas, strict=True):
                outcome.seen += 1
                try:
                    meta = load_meta(text)
                    texts = texts_of(meta.get("name"), meta.get("metadata", {}), self._labels)
                    fixed = with_texts(meta, texts) if text else ""
                    shown = shown_json(shown_labels(meta.get("metadata", {}), self._labels))
                except UNREADABLE:
                    outcome.unreadable.append(one)
                    fixed, texts, shown = text or "", [], ""
                self._ledger.run("reindex", one, text or "", fixed, shown, *flat(texts), client=pipe)
            answers_of(pipe.execute(raise_on_error=False))

    def _drop_gone(self, key: str) -> Iterator[int]:
        cursor = 0
        while True:
            cursor, rows = self._redis.zscan(key, cursor=cursor, count=_AT_ONCE)
            members = [part for member, _ in rows for part in (str(member), id_of(str(member)))]
            yield int(self._ledger.run("unindex_gone", key, *members)) if members else 0
            if not cursor:
                return

    def _forget_old(self, generation: str, before: Sequence[str]) -> None:
        """Delete the totals of earlier generations, and what is noted of labels that are no longer indexed."""
        for tenant in self._tenants():
            for number in range(max(0, int(generation) - 10), int(generation)):
                self._redis.delete(self._keys.totals(str(number), tenant))
        for name in before:
            if name not in (NAME, *self._labels):
                self._redis.hdel(self._keys.indexed, name)

    def _known_lists(self) -> list[str]:
        return [str(name) for name in self._redis.hkeys(self._keys.indexed)]

    def _tenants(self) -> list[str]:
        return [DEFAULT, *sorted(self._ledger.tenants())]
