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

from renderline.contract import tenant_error
from renderline.gateway.access import ADMIN, METRICS, OPERATOR, SCOPES, AccessDenied
from renderline.ledger import PREFIX, Audit, Keys
from renderline.tenants import COMMAND_LINE, DEFAULT, Actor, Door

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
    tenant: str | None = DEFAULT
    """The tenant to which it belongs; None: it acts for all (scope `operator`), or for none (`metrics`)."""
    accounts: tuple[str, ...] | None = None
    """The vendor accounts to which it is bound; None: it is not bound."""


@dataclass(frozen=True)
class _Stored:
    name: str
    scopes: tuple[str, ...]
    digest: str
    created: float
    tenant: str | None
    accounts: tuple[str, ...] | None


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

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        tenant: str | None = None,
        accounts: Iterable[str] | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> str:
        """Create a key and return its text, which is not stored anywhere.

        It belongs to `tenant` (None: the default one; with the scope `operator`: to none, it acts for all) and may use
        the vendor `accounts` (None: all). A key with the scope `metrics` has no other, and belongs to no tenant. Raises
        ValueError for a blank or long name, scopes that are unknown or do not go together, and a bad tenant.
        """
        given = set(scopes)
        wanted = tuple(scope for scope in SCOPES if scope in given)
        if not given or set(wanted) != given:
            raise ValueError(f"scopes must be some of {', '.join(SCOPES)}")
        if not name.strip() or len(name) > 100:
            raise ValueError("a key needs a name of at most 100 characters")
        if OPERATOR in given and tenant is not None:
            raise ValueError("a key with the scope operator acts for all tenants: it belongs to none")
        if METRICS in given and (len(given) > 1 or tenant is not None or accounts is not None):
            raise ValueError("a key with the scope metrics is for /metrics alone: no other scope, tenant or account")
        if tenant is not None and (error := tenant_error(tenant)):
            raise ValueError(f"the name of a tenant {error}")
        bound = None if accounts is None else sorted(set(accounts))
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        stored = {"name": name.strip(), "scopes": wanted, "digest": _digest(secret), "created": self.clock()}
        if tenant not in (None, DEFAULT):
            stored["tenant"] = tenant
        if bound is not None:
            stored["accounts"] = bound
        if not self.redis.hsetnx(self._keys, key_id, json.dumps(stored)):
            return self.create(name, wanted, tenant=tenant, accounts=bound, actor=actor)
        Audit(self.redis, prefix=self.prefix).note("create", actor, f"key {key_id}")
        if "tenant" in stored:
            self.redis.sadd(Keys(self.prefix).tenants, str(tenant))
        return f"rl_{key_id}_{secret}"

    def list(self) -> Sequence[ApiKey]:
        """Return every valid key, oldest first."""
        raw = cast("dict[str, str]", self.redis.hgetall(self._keys))
        used = cast("dict[str, str]", self.redis.hgetall(self._used))
        keys = []
        for key_id, text in raw.items():
            stored = _load(text)
            at = float(used[key_id]) if key_id in used else None
            keys.append(ApiKey(key_id, stored.name, stored.scopes, stored.created, at, stored.tenant, stored.accounts))
        return sorted(keys, key=lambda key: (key.created, key.key_id))

    def revoke(self, key_id: str, *, actor: Actor = COMMAND_LINE) -> bool:
        """Revoke a key, everywhere within `CACHED` seconds; False if there is no key with that id."""
        self._seen.pop(key_id, None)
        with self.redis.pipeline() as pipe:
            pipe.hdel(self._keys, key_id)
            pipe.hdel(self._used, key_id)
            revoked = bool(pipe.execute()[0])
        Audit(self.redis, prefix=self.prefix).note(
            "revoke", actor, f"key {key_id}", "done" if revoked else "no such key"
        )
        return revoked

    def check(self, header: str | None, scope: str) -> Actor:
        """Return the caller of this `Authorization` header; raises AccessDenied unless their key has the scope.

        The scope `admin` includes `submit` and `read`; `operator` includes all, `metrics` none.
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
        return self._actor(form[1], stored, scope, "http")

    def check_id(self, key_id: str | None, scope: str) -> Actor:
        """Return who acts in a session of the key with this id, if the key is still valid and has `scope`.

        Raises AccessDenied: 401 once the key is revoked, 403 without the scope.
        """
        stored = self._stored(key_id) if key_id else None
        if key_id is None or stored is None:
            raise AccessDenied(401, "The API key of this session is no longer valid.")
        return self._actor(key_id, stored, scope, "board")

    def _actor(self, key_id: str, stored: _Stored, scope: str, door: Door) -> Actor:
        if not _included(scope) & {*stored.scopes}:
            raise AccessDenied(
                403, f"This needs a key with the scope {scope}; this key has {', '.join(stored.scopes)}."
            )
        self._note_use(key_id)
        return Actor(door=door, tenant=stored.tenant, key_id=key_id, name=stored.name, accounts=stored.accounts)

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


def _included(scope: str) -> set[str]:
    """Return the scopes that include this one."""
    return {scope, OPERATOR} if scope in (OPERATOR, METRICS) else {scope, ADMIN, OPERATOR}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _load(text: str) -> _Stored:
    fields: dict[str, Any] = json.loads(text)
    scopes, accounts = tuple(fields["scopes"]), fields.get("accounts")
    return _Stored(
        name=fields["name"],
        scopes=scopes,
        digest=fields["digest"],
        created=float(fields["created"]),
        tenant=None if {OPERATOR, METRICS} & {*scopes} else fields.get("tenant", DEFAULT),
        accounts=None if accounts is None else tuple(accounts),
    )
