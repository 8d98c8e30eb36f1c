"""Sessions of the board: a signed cookie with the id of the API key that began it, never the key itself."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from itsdangerous import BadData, URLSafeTimedSerializer
from redis import Redis

from renderline.ledger import PREFIX, Keys

COOKIE: Final = "renderline_board"
LIFETIME: Final = 12 * 3600
"""Seconds after its login for which a session lasts at most."""
_READ_EVERY: Final = 10.0
_NONCE: Final = 16
_SALT: Final = "renderline.board.session"


@dataclass(frozen=True)
class Session:
    """One browser: with the id of the API key of its login (None: not logged in), and a random name of its own."""

    nonce: str
    key_id: str | None = None


@dataclass
class Sessions:
    """Signs and reads sessions. The secret is a random one in Redis: all gateways share it, and workers cannot read it.

    Deleting it there ends all sessions within seconds. Methods raise `redis.RedisError` if Redis cannot be reached.
    """

    redis: Redis
    prefix: str = PREFIX
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _secret: tuple[float, str] | None = field(default=None, init=False, repr=False)

    def begin(self, key_id: str | None = None) -> Session:
        """Return a new session."""
        return Session(secrets.token_urlsafe(_NONCE), key_id)

    def text(self, session: Session) -> str:
        """Return the cookie of a session."""
        return str(self._serializer().dumps([session.nonce, session.key_id]))

    def read(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie; None for one that is missing, too old or not ours."""
        if not cookie:
            return None
        try:
            nonce, key_id = self._serializer().loads(cookie, max_age=LIFETIME)
        except (BadData, ValueError, TypeError):
            return None
        return Session(str(nonce), None if key_id is None else str(key_id))

    def form_token(self, session: Session) -> str:
        """Return the token without which a form of this session is refused."""
        return hmac.digest(self._current().encode(), f"form {session.nonce}".encode(), "sha256").hex()

    def is_form_token(self, session: Session, token: str) -> bool:
        """Return whether a form has the token of its session."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode(errors="replace"))

    def _serializer(self) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._current(), salt=_SALT)

    def _current(self) -> str:
        now = self.clock()
        with self._lock:
            if self._secret is None or now - self._secret[0] > _READ_EVERY:
                self._secret = (now, self._shared())
            return self._secret[1]

    def _shared(self) -> str:
        key = Keys(self.prefix).board_secret
        self.redis.set(key, secrets.token_hex(32), nx=True)
        return str(self.redis.get(key))
