"""Which secrets are too weak for what they protect. Each function returns the reason, or None if the secret will do."""

from __future__ import annotations

import base64
import re

LEAST_PASSWORD = 12
"""Characters of a Flower password that is asked for beyond loopback."""

LEAST_REDIS_PASSWORD = 16

_LEAST_VARIETY = 5
_LEAST_KEY_VARIETY = 8

_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|it|this)|replace[-_ ]?(me|it|this)|your[-_ ]?(password|secret|key)|x{3,}|\.{3,}|<.*>|\*+", re.I
)
"""What documentation puts where a secret belongs. It is a whole secret, or a secret that is made of nothing else."""

_KNOWN = frozenset({"password", "secret", "flower", "admin", "letmein", "qwerty", "welcome", "renderline", "example"})


def of_login(login: str, *, reachable: bool) -> str | None:
    """Return why this `user:password` is refused.

    Anywhere: a password that is the user's name, a placeholder, or one character repeated. Where Flower is `reachable`
    from other machines also: one below 12 characters, of few different characters, or a well-known word with digits.
    """
    user, _, password = login.partition(":")
    if password.lower() == user.lower():
        return f"the password of {user!r} is the user's name"
    if _is_placeholder(password):
        return f"the password of {user!r} is a placeholder"
    if len(set(password)) == 1:
        return f"the password of {user!r} is one character repeated"
    if not reachable:
        return None
    if len(password) < LEAST_PASSWORD:
        return f"the password of {user!r} has {len(password)} characters: {LEAST_PASSWORD} are needed beyond loopback"
    if _is_monotonous(password, _LEAST_VARIETY) or _is_known_word(password):
        return f"the password of {user!r} is easily guessed, and Flower listens beyond loopback"
    return None


def of_key(key: str) -> str | None:
    """Return why this signing key is refused: few different characters, a repeated part, or a placeholder."""
    if _is_placeholder(key):
        return "it is a placeholder"
    if _is_monotonous(key, _LEAST_KEY_VARIETY):
        return f"it has fewer than {_LEAST_KEY_VARIETY} different characters, or repeats itself"
    return None


def of_hook_secret(secret: str) -> str | None:
    """Return why this hook secret (`whsec_` and base64) is refused: few different bytes."""
    if len(set(base64.b64decode(secret.removeprefix("whsec_")))) < _LEAST_KEY_VARIETY:
        return f"it holds fewer than {_LEAST_KEY_VARIETY} different bytes"
    return None


def of_redis_password(password: str) -> str | None:
    """Return why this password of Redis, which never locks out anybody who guesses, is refused."""
    if len(password) < LEAST_REDIS_PASSWORD:
        return f"it has {len(password)} characters"
    return of_key(password)


def _is_placeholder(secret: str) -> bool:
    unit = _unit(secret)
    return any(_PLACEHOLDER.fullmatch(text) for text in (secret, unit))


def _is_monotonous(secret: str, least: int) -> bool:
    return len(set(secret)) < least or len(_unit(secret)) <= len(secret) / 2


def _is_known_word(secret: str) -> bool:
    return re.sub(r"[^a-z]", "", secret.lower()) in _KNOWN


def _unit(secret: str) -> str:
    """Return the shortest part of which the secret is a repetition, the last one perhaps cut off."""
    sizes = range(1, len(secret) + 1)
    return next((secret[:size] for size in sizes if (secret[:size] * len(secret)).startswith(secret)), secret)
