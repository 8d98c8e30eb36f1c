"""One vendor token per account, shared by every worker through Redis and refreshed by one of them at a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis import Redis
from redis.client import Pipeline

from renderline.accounts.guard import CircuitOpen, InBackoff
from renderline.accounts.permit import current_permit
from renderline.accounts.rate_limit import RateLimitReached
from renderline.ledger import PREFIX, Keys
from renderline.studio import CredentialsRefused, RateLimited, StudioFault, TokenRejected, VendorUnavailable

log = structlog.get_logger(__name__)

LIFETIME = 24 * 3600.0
"""Lifetime in seconds of a token that does not state one (AI Studios v3 contract, authentication: 1 day)."""
REFRESH_AFTER = 0.8
"""Share of its lifetime after which a token is replaced, while the old one still works."""

_WAIT = 0.05
_FAILURE_TTL = 2.0
_REFUSED_TTL = 30.0
_STATUS_TTL = 2 * 24 * 3600

_LONGEST_PAUSE = 60.0
"""The most seconds between two token requests while new tokens are refused at once."""

# Drop the stored token only if it is still the refused one: another worker may have stored a newer one. After the first
# refusal a new token may be asked for at once; if that is refused too, in 1 s, 2 s, 4 s, and so on. After a while
# without refusals the count starts again.
# -> {dropped, seconds until a new one may be asked for}
_DROP_IF_SAME = """
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return {0, '0'} end
redis.call('DEL', KEYS[1])
local count = redis.call('HINCRBY', KEYS[2], 'count', 1)
local pause = count == 1 and 0 or math.min(tonumber(ARGV[2]), 2 ^ (math.min(count, 20) - 2))
local t = redis.call('TIME')
redis.call('HSET', KEYS[2], 'until', string.format('%.3f', tonumber(t[1]) + tonumber(t[2]) / 1e6 + pause))
redis.call('PEXPIRE', KEYS[2], math.ceil((pause + tonumber(ARGV[2])) * 1000))
return {1, string.format('%.3f', pause)}
"""
# -> seconds until a new token may be asked for
_PAUSE_LEFT = """
local t = redis.call('TIME')
local left = (tonumber(redis.call('HGET', KEYS[1], 'until')) or 0) - tonumber(t[1]) - tonumber(t[2]) / 1e6
return string.format('%.3f', math.max(0, left))
"""


class Issuer(Protocol):
    """Exchanges credentials for a new token; raises a `StudioFault`."""

    def issue(self) -> str:
        """Return a new token."""


@dataclass(frozen=True)
class Token:
    """A token with its times in epoch seconds."""

    value: str
    issued_at: float
    expires_at: float

    @property
    def refresh_at(self) -> float:
        """When to ask for its successor, well before it expires."""
        return self.issued_at + (self.expires_at - self.issued_at) * REFRESH_AFTER


def lifetime_of(token: str, *, now: float) -> float:
    """Return for how many seconds from `now` a token is good: by its JWT claims if it parses, else 24 h.

    If it has `iat` and `exp`, their difference counts, so that the vendor's clock does not matter.
    """
    # It loads cryptography, which takes a tenth of a process's start; few processes ever get a new token.
    import jwt

    try:
        claims = jwt.decode(token, options={"verify_signature": False, "verify_exp": False, "verify_iat": False})
        expires = float(claims["exp"])
        lifetime = expires - float(claims.get("iat", now))
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError):
        return LIFETIME
    return lifetime if lifetime > 0 else LIFETIME


class SharedToken:
    """The token of one account; implements the vendor client's `TokenSource`.

    A fresh token comes from memory. Past its refresh time it is replaced by the worker that gets the lock, while the
    others go on with the old one. Without a usable token, all wait for the holder of the lock.
    """

    def __init__(
        self,
        redis: Redis,
        issuer: Issuer,
        *,
        account: str,
        prefix: str = PREFIX,
        lock_seconds: float = 30.0,
        clock: Callable[[], float] = time.time,
        back_off: Callable[[float], None] | None = None,
    ) -> None:
        """`back_off` stops the account's calls for so many seconds, while its tokens are refused."""
        self._redis, self._issuer, self._account, self._clock = redis, issuer, account, clock
        self._key = Keys(prefix).token(account)
        self._status = Keys(prefix).account_status(account)
        self._lock_seconds = lock_seconds
        self._held: Token | None = None
        self._recheck_at = 0.0
        self._back_off = back_off
        self._refusals = f"{self._key}:refusals"
        self._drop = redis.register_script(_DROP_IF_SAME)
        self._pause_left = redis.register_script(_PAUSE_LEFT)

    @property
    def at_hand(self) -> str | None:
        """The token that `current` would return from memory, at once; None if it would have to ask."""
        held = self._good()
        return held.value if held else None

    def _good(self) -> Token | None:
        held, now = self._held, self._clock()
        return held if held and (now < held.refresh_at or now < min(self._recheck_at, held.expires_at)) else None

    def current(self) -> str:
        """Return a token that should be good; raises a `StudioFault` if none is available."""
        permit, held, now = current_permit(), self._good(), self._clock()
        if permit and (prepared := permit.use_token()):
            return prepared
        if held:
            return held.value
        stored = self._read()
        if stored and now < stored.refresh_at:
            return self._hold(stored)
        if stored and now < stored.expires_at:
            return self._hold(self._refresh_early(stored))
        return self._hold(self._obtain())

    def reject(self, token: str) -> None:
        """Drop a token that the vendor refused, unless a newer one is stored.

        If several tokens in a row are refused, the account backs off until the next request for a token.
        """
        if self._held and self._held.value == token:
            self._held = None
        dropped, pause = self._drop(keys=[self._key, self._refusals], args=[token, _LONGEST_PAUSE])
        if not dropped:
            return
        self._note(self._redis, refused_at=self._clock())
        log.warning("token refused by the vendor, dropped", account=self._account, next_in=float(pause))
        if self._back_off and float(pause) > 0:
            self._back_off(float(pause))

    def _hold(self, token: Token) -> str:
        self._held = token
        self._recheck_at = self._clock() + 1.0
        return token.value

    def _read(self) -> Token | None:
        token, issued, expires = self._redis.hmget(self._key, ["token", "issued_at", "expires_at"])
        if not token or not issued or not expires:
            return None
        found = Token(str(token), float(issued), float(expires))
        return found if self._clock() < found.expires_at else None

    def _refresh_early(self, old: Token) -> Token:
        lock = self._redis.lock(f"{self._key}:lock", timeout=self._lock_seconds)
        if not lock.acquire(blocking=False):
            return old
        try:
            newest = self._read()
            if newest and newest.value != old.value:
                return newest
            self._raise_remembered()
            return self._issue()
        except StudioFault as fault:
            log.warning("early token refresh failed, going on with the old one", fault=str(fault))
            return old
        finally:
            if lock.owned():
                lock.release()

    def _obtain(self) -> Token:
        give_up = time.monotonic() + self._lock_seconds + 5
        while True:
            lock = self._redis.lock(f"{self._key}:lock", timeout=self._lock_seconds)
            if lock.acquire(blocking=False):
                try:
                    # The last holder of the lock may have stored one between our read and our lock.
                    stored = self._read()
                    if stored:
                        return stored
                    self._raise_remembered()
                    return self._issue()
                finally:
                    if lock.owned():
                        lock.release()
            time.sleep(_WAIT)
            stored = self._read()
            if stored:
                return stored
            self._raise_remembered()
            if time.monotonic() > give_up:
                raise VendorUnavailable("no token: the worker that requests it has not finished", endpoint="token")

    def _issue(self) -> Token:
        pause = float(self._pause_left(keys=[self._refusals]))
        if pause > 0:
            why = "no token: the vendor refused several in a row; the next one is requested later"
            raise TokenRejected(why, endpoint="token", retry_after=pause)
        try:
            value = self._issuer.issue()
        except (RateLimitReached, InBackoff, CircuitOpen):
            # Not requested: other workers may request one in their turn.
            raise
        except StudioFault as fault:
            self._remember(fault)
            raise
        now = self._clock()
        token = Token(value, now, now + lifetime_of(value, now=now))
        with self._redis.pipeline() as pipe:
            fields = {"token": value, "issued_at": token.issued_at, "expires_at": token.expires_at}
            pipe.hset(self._key, mapping=fields)  # type: ignore[arg-type]
            pipe.pexpire(self._key, int((token.expires_at - now) * 1000))
            pipe.delete(f"{self._key}:failure", self._status)
            self._note(pipe, issued_at=now, refresh_at=token.refresh_at, expires_at=token.expires_at)
            pipe.execute()
        log.info("token issued", account=self._account, good_for=round(token.expires_at - now))
        return token

    # A failed token request is remembered, so that waiting workers do not repeat it one by one.

    def _remember(self, fault: StudioFault) -> None:
        seconds = _FAILURE_TTL
        if isinstance(fault, CredentialsRefused):
            seconds = _REFUSED_TTL
        elif isinstance(fault, RateLimited) and fault.retry_after:
            seconds = fault.retry_after
        failure = {"type": type(fault).__name__, "message": fault.message, "status": fault.status, "code": fault.code}
        with self._redis.pipeline() as pipe:
            pipe.set(f"{self._key}:failure", json.dumps(failure), px=max(1, int(seconds * 1000)))
            self._note(pipe, failed_at=self._clock())
            pipe.execute()

    def _note(self, redis: Redis | Pipeline, **times: float) -> None:
        """Note times of the token where those can read them who may not read the token."""
        redis.hset(self._status, mapping=times)  # type: ignore[arg-type]
        redis.expire(self._status, _STATUS_TTL)

    def _raise_remembered(self) -> None:
        with self._redis.pipeline() as pipe:
            pipe.get(f"{self._key}:failure")
            pipe.pttl(f"{self._key}:failure")
            raw, left = pipe.execute()
        if not raw:
            return
        failure = json.loads(raw)
        details = {"endpoint": "token", "status": failure["status"], "code": failure["code"]}
        if failure["type"] == CredentialsRefused.__name__:
            raise CredentialsRefused(failure["message"], **details)
        if failure["type"] == RateLimited.__name__:
            raise RateLimited(failure["message"], retry_after=max(0, left) / 1000, **details)
        raise VendorUnavailable(failure["message"], **details)
