"""The URLs that the vendor calls about a render: made here, and told from forged ones here.

The vendor signs nothing and names no project in its webhooks (AI Studios v3 contract, webhook), so what identifies a
render and proves that the caller is the vendor is the URL itself, which nobody else was given.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

PATH = "/webhooks/aistudios"

AFTERWARDS = 86400.0
"""Seconds for which a URL stays good after its render's deadline: a late call still tells what the render cost."""

# Keeps these signatures apart from whatever else the same key may come to sign.
_PURPOSE = "renderline.callbacks.v1"


class About(NamedTuple):
    """What a called URL is about: the attempt at a render, and the draft of that attempt."""

    attempt: int
    draft: int


@dataclass(frozen=True)
class WebhookUrls:
    """Signs and verifies the URLs `{public_url}/webhooks/aistudios/{render id}/{signature}`.

    A signature is `{attempt}.{expiry}.{mac}`, and `{attempt}-{draft}.{expiry}.{mac}` from an attempt's second draft on:
    unreserved characters alone, so that no proxy and no vendor rewrites it.
    `public_url` is where the vendor reaches the gateway, with or without a path; `key` the secret of at least 32
    characters. A new key makes the URLs in the vendor's hands worthless; polling finds those renders.
    """

    public_url: str
    key: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def url(self, render_id: str, *, attempt: int, seconds: float, draft: int = 1) -> str:
        """Return the URL to be called about this draft of an attempt, good for `seconds` and a day."""
        expires = int(self.clock() + seconds + AFTERWARDS)
        about = str(attempt) if draft == 1 else f"{attempt}-{draft}"
        signature = f"{about}.{expires}.{self._mac(render_id, about, str(expires))}"
        return f"{self.public_url.rstrip('/')}{PATH}/{render_id}/{signature}"

    def about(self, render_id: str, signature: str) -> About | None:
        """Return which attempt at the render, and which draft, a called URL is about; None if forged or expired."""
        about, _, rest = signature.partition(".")
        expires, _, mac = rest.partition(".")
        genuine = hmac.compare_digest(self._mac(render_id, about, expires).encode(), mac.encode(errors="replace"))
        if not genuine or self.clock() >= int(expires):
            return None
        attempt, _, draft = about.partition("-")
        return About(int(attempt), int(draft or 1))

    def _mac(self, render_id: str, about: str, expires: str) -> str:
        # A line each: in what we sign no part has a line break, so none can run into the next.
        message = "\n".join((_PURPOSE, render_id, about, expires))
        return hmac.digest(self.key.encode(), message.encode(errors="replace"), "sha256").hex()
