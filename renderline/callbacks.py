"""The URLs that the vendor calls about a render: made here, and told from forged ones here.

The vendor signs nothing and names no project in its webhooks (AI Studios v3 contract, webhook), so what identifies a
render and proves that the caller is the vendor is the URL itself, which nobody else was given.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

PATH = "/webhooks/aistudios"

AFTERWARDS = 86400.0
"""Seconds for which a URL stays good after its render's deadline: a late call still tells what the render cost."""

# Keeps these signatures apart from whatever else the same key may come to sign.
_PURPOSE = "renderline.callbacks.v1"


@dataclass(frozen=True)
class Callbacks:
    """Signs and verifies the URLs `{public_url}/webhooks/aistudios/{render id}/{signature}`.

    A signature is `{attempt}.{expiry}.{mac}`: unreserved characters alone, so that no proxy and no vendor rewrites it.
    `public_url` is where the vendor reaches the gateway, with or without a path; `key` the secret of at least 32
    characters. A new key makes the URLs in the vendor's hands worthless; polling finds those renders.
    """

    public_url: str
    key: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def url(self, render_id: str, *, attempt: int, seconds: float) -> str:
        """Return the URL to be called about this attempt at a render, good for `seconds` and a day."""
        expires = int(self.clock() + seconds + AFTERWARDS)
        signature = f"{attempt}.{expires}.{self._mac(render_id, str(attempt), str(expires))}"
        return f"{self.public_url.rstrip('/')}{PATH}/{render_id}/{signature}"

    def attempt(self, render_id: str, signature: str) -> int | None:
        """Return which attempt at the render a called URL belongs to; None if it is forged or expired."""
        attempt, _, rest = signature.partition(".")
        expires, _, mac = rest.partition(".")
        genuine = hmac.compare_digest(self._mac(render_id, attempt, expires).encode(), mac.encode(errors="replace"))
        if not genuine or self.clock() >= int(expires):
            return None
        return int(attempt)

    def _mac(self, render_id: str, attempt: str, expires: str) -> str:
        # A line each: in what we sign no part has a line break, so none can run into the next.
        message = "\n".join((_PURPOSE, render_id, attempt, expires))
        return hmac.digest(self.key.encode(), message.encode(errors="replace"), "sha256").hex()
