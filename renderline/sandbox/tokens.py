"""v3 tokens: issued as real HS256 JWTs, looked up per call, expired and revoked."""

import hashlib
import hmac
import secrets

import jwt

from renderline.sandbox.projects import V2_ACCOUNT
from renderline.sandbox.responses import (
    CREDENTIALS_WRONG,
    TOKEN_EXPIRED,
    TOKEN_MISSING,
    TOKEN_REVOKED,
    TOKEN_UNKNOWN,
    Refusal,
)

MAX_REMEMBERED_REVOKED = 10_000


class Tokens:
    """All tokens of one sandbox. Tokens are looked up, so that a call costs no signature check."""

    def __init__(self, *, credentials: dict[str, str], lifetime: int) -> None:
        self._credentials = credentials
        self._lifetime = lifetime
        self._secret = secrets.token_bytes(32)
        self._live: dict[str, tuple[str, float]] = {}
        self._revoked: dict[str, None] = {}
        self.issued = 0

    def issue(self, app_id: str, user_key: str, *, now: float) -> str:
        """A new token (AI Studios v3 contract, authentication); raises Refusal on wrong credentials.

        Two tokens issued within the same second for one account are the same text, because the contract leaves
        nothing in them that could differ. Older tokens stay valid.
        """
        if self._credentials:
            expected = self._credentials.get(app_id)
            if expected is None or not hmac.compare_digest(expected.encode(), user_key.encode()):
                raise Refusal(CREDENTIALS_WRONG, "appId or userKey is wrong")
        issued = int(now)
        expires = issued + self._lifetime
        claims = {"appId": app_id, "platform": "web", "iat": issued, "exp": expires}
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        self._live[token] = (app_id, float(expires))
        self.issued += 1
        if self.issued % 1000 == 0:
            self._live = {known: entry for known, entry in self._live.items() if entry[1] > now}
        return token

    def account(self, header: str | None, *, now: float) -> str:
        """The appId behind an Authorization header, which must be the raw token; raises Refusal (401)."""
        entry = self._live.get(header or "")
        if entry is not None and entry[1] > now:
            return entry[0]
        if not header:
            raise Refusal(TOKEN_MISSING, "the Authorization header is missing")
        if header[:7].lower() == "bearer ":
            raise Refusal(TOKEN_UNKNOWN, "send the token itself, without 'Bearer'")
        if entry is not None:
            raise Refusal(TOKEN_EXPIRED, "the token has expired")
        if header in self._revoked:
            raise Refusal(TOKEN_REVOKED, "the token was revoked")
        raise Refusal(TOKEN_UNKNOWN, "the token is not known")

    def revoke(self, token: str) -> None:
        """Refuse this token from now on."""
        if self._live.pop(token, None) is not None:
            self._forget([token])

    def revoke_all(self) -> int:
        """Refuse every token issued so far; returns how many there were."""
        known = list(self._live)
        self._live.clear()
        self._forget(known)
        return len(known)

    def _forget(self, tokens: list[str]) -> None:
        if len(self._revoked) + len(tokens) > MAX_REMEMBERED_REVOKED:
            self._revoked.clear()
        self._revoked.update(dict.fromkeys(tokens))
        # A token issued in the same second as a revoked one must not be the same text: sign with a new secret.
        self._secret = secrets.token_bytes(32)


def v2_account(header: str | None, *, keys: frozenset[str]) -> str:
    """The account behind a v2 Authorization header, which is the API Secret Key itself; raises Refusal (401).

    The account's name is made from the key but does not show it.
    """
    if not header:
        raise Refusal(TOKEN_MISSING, "the Authorization header is missing")
    if header[:7].lower() == "bearer ":
        raise Refusal(TOKEN_UNKNOWN, "send the key itself, without 'Bearer'")
    if keys and header not in keys:
        raise Refusal(CREDENTIALS_WRONG, "the key is not known")
    return V2_ACCOUNT + hashlib.sha256(header.encode()).hexdigest()[:8]
