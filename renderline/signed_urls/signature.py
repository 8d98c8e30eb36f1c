"""The signatures in URLs that Renderline makes: each purpose has its own, with one secret key."""

from __future__ import annotations

import hmac


def signature(key: bytes, *parts: str) -> str:
    """Return the HMAC-SHA256 of the parts in hexadecimal digits; the first names the purpose.

    None of the genuine parts has a line break, so none can run into the next.
    """
    return hmac.digest(key, "\n".join(parts).encode(errors="replace"), "sha256").hex()


def same(genuine: str, given: str) -> bool:
    """Return whether a signature is the genuine one; how long this takes says nothing about the genuine one."""
    return hmac.compare_digest(genuine.encode(), given.encode(errors="replace"))


def key_for(purpose: str, secret: str) -> bytes:
    """Return a key of this purpose alone, derived from a secret."""
    return hmac.digest(secret.encode(), purpose.encode(), "sha256")
