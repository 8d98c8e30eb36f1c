"""The cached lists in Redis: who reads one anew, and what it held when it was read last."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import structlog
from redis import Redis, ResponseError

from renderline.catalogue.pick_lists import PickList, find, known
from renderline.catalogue.snapshot import Snapshot
from renderline.ledger import PREFIX, Keys

log = structlog.get_logger(__name__)

KEPT_FOR: Final = 24
"""Lifetimes for which a list is kept that cannot be read anew."""
MOST_BYTES: Final = 4 * 1024 * 1024
"""Bytes of one list in Redis. The end of a longer one is left out."""
PAUSE: Final = 30.0
"""Seconds without another attempt after a list could not be read."""

_LEASE: Final = 90.0
_WANTED_FOR: Final = 600
_MOST_WANTED: Final = 200
_MOST_REMEMBERED: Final = 64

# Delete a lease only if it is still ours.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class CatalogueStore:
    """The lists of all accounts. `clock` tells the time of the Redis server; `lifetime` is how many seconds a list is
    fresh. Methods raise `redis.RedisError` if the server cannot be reached.
    """

    def __init__(
        self, redis: Redis, *, clock: Callable[[], float], lifetime: float = 3600.0, prefix: str = PREFIX
    ) -> None:
        self._redis, self.clock, self.lifetime, self._keys = redis, clock, lifetime, Keys(prefix)
        self._release = redis.register_script(_RELEASE)
        self._lock = threading.Lock()
        self._remembered: dict[tuple[str, str], Snapshot] = {}

    def is_fresh(self, name: str, found: Snapshot) -> bool:
        """Return whether a list need not be read anew yet."""
        own = known(name).fresh
        return found.age(self.clock()) < (self.lifetime if own is None else min(own, self.lifetime))

    def read(self, account: str, name: str) -> Snapshot | None:
        """Return a list of an account; None if there is none (any more)."""
        wanted = known(name)
        key = self._keys.catalogue(account, name)
        try:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(key, "at", "complete")
                pipe.get(f"{key}:failure")
                (at, complete), error = pipe.execute()
            if at is None:
                return None
            before = self._recall(account, name, float(at))
            rows = before.rows if before else _rows(self._redis.hget(key, "rows"), wanted)
            found = Snapshot(rows, float(at), wanted.id, complete == "1", error)
        except (ResponseError, ValueError, TypeError) as fault:
            # Another type of key, or no list in it: as if there were none.
            log.warning("cached list cannot be read", account=account, list=name, why=type(fault).__name__)
            return None
        if before and before.error == error:
            return before
        if not wanted.whole:
            self._remember(account, name, found)
        return found

    def write(self, account: str, name: str, rows: Sequence[Mapping[str, Any]], *, at: float) -> None:
        """Keep the rows that a list had at a time; a newer list stays."""
        texts: list[str] = []
        size = 0
        for row in rows:
            text = json.dumps(row, separators=(",", ":"), ensure_ascii=False)
            size += len(text.encode(errors="replace")) + 1
            if size > MOST_BYTES:
                log.warning("list cut", account=account, list=name, rows=len(rows), kept=len(texts))
                break
            texts.append(text.encode(errors="replace").decode())
        key = self._keys.catalogue(account, name)
        kept = known(name).kept or self.lifetime * KEPT_FOR
        complete = "1" if len(texts) == len(rows) else "0"
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(f"{key}:failure", key)
            pipe.hset(key, mapping={"at": f"{at:.3f}", "complete": complete, "rows": f"[{','.join(texts)}]"})
            pipe.expire(key, int(kept) + 1)
            pipe.execute()

    def note_failure(self, account: str, name: str, why: str) -> None:
        """Note why a list could not be read; for a while nobody tries again."""
        self._redis.set(f"{self._keys.catalogue(account, name)}:failure", why[:500], px=int(PAUSE * 1000))

    def failure(self, account: str, name: str) -> str | None:
        """Return why a list could not be read a moment ago; None if nobody failed."""
        found = self._redis.get(f"{self._keys.catalogue(account, name)}:failure")
        return None if found is None else str(found)

    @contextmanager
    def lease(self, account: str, name: str) -> Iterator[bool]:
        """Yield whether this process alone may read a list from the vendor now."""
        key, holder = f"{self._keys.catalogue(account, name)}:lease", uuid.uuid4().hex
        held = bool(self._redis.set(key, holder, nx=True, px=int(_LEASE * 1000)))
        try:
            yield held
        finally:
            if held:
                self._release(keys=[key], args=[holder])

    def want(self, account: str, names: Sequence[str]) -> None:
        """Have a worker read lists of an account anew; a process without the vendor's credentials asks so."""
        key = self._keys.wanted_lists(account)
        if names and int(self._redis.scard(key)) < _MOST_WANTED:
            with self._redis.pipeline(transaction=False) as pipe:
                pipe.sadd(key, *names)
                pipe.expire(key, _WANTED_FOR)
                pipe.execute()

    def with_wanted(self, accounts: Sequence[str]) -> list[str]:
        """Return those of the accounts with lists to be read anew."""
        with self._redis.pipeline(transaction=False) as pipe:
            for account in accounts:
                pipe.exists(self._keys.wanted_lists(account))
            return [account for account, there in zip(accounts, pipe.execute(), strict=True) if there]

    def take_wanted(self, account: str) -> str | None:
        """Return a list of the account to be read anew, which no other worker gets; None: no more."""
        while (name := self._redis.spop(self._keys.wanted_lists(account))) is not None:
            if find(str(name)):
                return str(name)
            # A newer version knows it.
        return None

    def _recall(self, account: str, name: str, at: float) -> Snapshot | None:
        with self._lock:
            found = self._remembered.get((account, name))
        return found if found and found.at == at else None

    def _remember(self, account: str, name: str, found: Snapshot) -> None:
        with self._lock:
            self._remembered.pop((account, name), None)
            self._remembered[account, name] = found
            while len(self._remembered) > _MOST_REMEMBERED:
                del self._remembered[next(iter(self._remembered))]


def _rows(text: Any, wanted: PickList) -> list[dict[str, Any]]:
    rows = json.loads(text or "")
    if not isinstance(rows, list):
        raise ValueError("no list")
    return [row for row in rows if isinstance(row, dict) and wanted.id in row]
