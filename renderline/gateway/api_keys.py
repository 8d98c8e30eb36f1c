"""API keys: shown once when they are created, stored as a hash, checked on every call, revoked within seconds.

A key is `rl_{id}_{secret}`. The secret is 32 random bytes, so one SHA-256 protects its stored form. Slow hashes are for
secrets that people choose; here they would only slow down every request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from redis import Redis

from renderline.gateway.access import ADMIN, SCOPES, AccessDenied, Caller
from renderline.ledger import PREFIX, Keys

CACHED = 2.0
"""Seconds for which a process caches a key, and so the longest time that a revoked key still works."""

USED_EVERY = 60.0
"""Seconds between updates of the time that a key was last used; precise enough to find unused keys."""

_FORM = re.compile(r"rl_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_MOST_CACHED = 1000


@dataclass(frozen=True)
class ApiKey:
    """A key without its secret; times are epoch seconds."""

    key_id: str
    name: str
    scopes: tuple[str, ...]
    created: float
    used: float | None = None
    """Time of its last use, to within a minute; None: never."""


@dataclass(frozen=True)
class _Stored:
    name: str
    scopes: tuple[str, ...]
    digest: str
    created: float


@dataclass(frozen=True)
class ApiKeys:
    """The keys of all callers, kept in Redis. Every method raises `redis.RedisError` if it cannot be reached.

    `clock` is epoch seconds.
    """

    redis: Redis
    prefix: str = PREFIX
    clock: Callable[[], float] = time.time
    _seen: dict[str, tuple[float, _Stored]] = field(default_factory=dict, init=False, repr=False)
    _noted: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def create(self, name: str, scopes: Iterable[str]) -> str:
        """Create a key and return its text, which is not stored anywhere.

        Raises ValueError for a blank or long name and for an unknown scope.
        """
        given = set(scopes)
        wanted = tuple(scope for scope in SCOPES if scope in given)
        if not given or set(wanted) != given:
            raise ValueError(f"scopes must be some of {', '.join(SCOPES)}")
        if not name.strip() or len(name) > 100:
            raise ValueError("a key needs a name of at most 100 characters")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        stored = {"name": name.strip(), "scopes": wanted, "digest": _digest(secret), "created": self.clock()}
        if not self.redis.hsetnx(self._keys, key_id, json.dumps(stored)):
            return self.create(name, wanted)
        return f"rl_{key_id}_{secret}"

    def list(self) -> Sequence[ApiKey]:
        """Return every valid key, oldest first."""
        raw = cast("dict[str, str]", self.redis.hgetall(self._keys))
        used = cast("dict[str, str]", self.redis.hgetall(self._used))
        keys = []
        for key_id, text in raw.items():
            stored = _load(text)
            at = float(used[key_id]) if key_id in used else None
            keys.append(ApiKey(key_id, stored.name, stored.scopes, stored.created, at))
        return sorted(keys, key=lambda key: (key.created, key.key_id))

    def revoke(self, key_id: str) -> bool:
        """Revoke a key, everywhere within `CACHED` seconds; False if there is no key with that id."""
        self._seen.pop(key_id, None)
        with self.redis.pipeline() as pipe:
            pipe.hdel(self._keys, key_id)
            pipe.hdel(self._used, key_id)
            return bool(pipe.execute()[0])

    def check(self, header: str | None, scope: str) -> Caller:
        """Return the caller of this `Authorization` header; raises AccessDenied unless their key has the scope.

        The scope `admin` includes the others.
        """
        kind, _, text = (header or "").strip().partition(" ")
        if kind.lower() != "bearer" or not text.strip():
            raise AccessDenied(401, "An API key is required: send Authorization: Bearer <key>.")
        form = _FORM.fullmatch(text.strip())
        stored = self._stored(form[1]) if form else None
        # An unknown id is compared too, so that the response time does not show which ids exist.
        genuine = hmac.compare_digest(_digest(form[2] if form else ""), stored.digest if stored else _digest("none"))
        if form is None or stored is None or not genuine:
            raise AccessDenied(401, "The API key is not valid.")
        if scope not in stored.scopes and ADMIN not in stored.scopes:
            raise AccessDenied(
                403, f"This needs a key with the scope {scope}; this key has {', '.join(stored.scopes)}."
            )
        self._note_use(form[1])
        return Caller(stored.name, form[1])

    def _stored(self, key_id: str) -> _Stored | None:
        now = self.clock()
        at, stored = self._seen.get(key_id, (0.0, None))
        if stored is not None and 0 <= now - at < CACHED:
            return stored
        text = self.redis.hget(self._keys, key_id)
        if text is None:
            # Not cached: invented ids would fill the memory, and a new key must work at once.
            self._seen.pop(key_id, None)
            return None
        if len(self._seen) >= _MOST_CACHED:
            self._seen.clear()
        stored = _load(str(text))
        self._seen[key_id] = (now, stored)
        return stored

    def _note_use(self, key_id: str) -> None:
        now = self.clock()
        if now - self._noted.get(key_id, 0.0) >= USED_EVERY:
            self._noted[key_id] = now
            self.redis.hset(self._used, key_id, f"{now:.0f}")

    @property
    def _keys(self) -> str:
        return Keys(self.prefix).api_keys

    @property
    def _used(self) -> str:
        return Keys(self.prefix).api_keys_used


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _load(text: str) -> _Stored:
    fields: dict[str, Any] = json.loads(text)
    return _Stored(fields["name"], tuple(fields["scopes"]), fields["digest"], float(fields["created"]))
