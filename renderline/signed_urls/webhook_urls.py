"""The URLs of the vendor's webhooks: signed here, and verified here.

The vendor signs nothing and names no project in its webhooks (AI Studios v3 contract, webhook). So the URL identifies
the render and proves that the caller is the vendor, since nobody else was given it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from renderline.signed_urls.signature import same, signature

PATH: Final = "/webhooks/aistudios"

GRACE: Final = 86400.0
"""Seconds for which a URL is valid after its render's deadline: a late webhook still reports the cost."""

# Separates these signatures from others with the same key. It keeps its first word, since a new text would make the
# URLs of running renders invalid.
_PURPOSE: Final = "renderline.callbacks.v1"


class WebhookSubject(NamedTuple):
    """The subject of a webhook: an attempt of the render, and a draft of that attempt."""

    attempt: int
    draft: int


@dataclass(frozen=True)
class WebhookUrls:
    """Signs and verifies the URLs `{public_url}/webhooks/aistudios/{render id}/{signature}`.

    A signature is `{attempt}.{expiry}.{mac}`, or `{attempt}-{draft}.{expiry}.{mac}` from the second draft of an attempt
    on. It has only unreserved characters, so no proxy and no vendor rewrites it.
    `public_url` is where the vendor reaches the gateway, with or without a path; `key` is a secret of at least 32
    characters. A new key makes the URLs of running renders invalid; polling finds those renders.
    """

    public_url: str
    key: str = field(repr=False)
    clock: Callable[[], float] = time.time

    def url(self, render_id: str, *, attempt: int, seconds: float, draft: int = 1) -> str:
        """Return the webhook URL of this draft, valid for `seconds` and a day."""
        expires = int(self.clock() + seconds + GRACE)
        subject = str(attempt) if draft == 1 else f"{attempt}-{draft}"
        signed = f"{subject}.{expires}.{self._mac(render_id, subject, str(expires))}"
        return f"{self.public_url.rstrip('/')}{PATH}/{render_id}/{signed}"

    def verify(self, render_id: str, signed: str) -> WebhookSubject | None:
        """Return the attempt and draft of a called URL; None if it is forged or expired."""
        subject, _, rest = signed.partition(".")
        expires, _, mac = rest.partition(".")
        if not same(self._mac(render_id, subject, expires), mac) or self.clock() >= int(expires):
            return None
        attempt, _, draft = subject.partition("-")
        return WebhookSubject(int(attempt), int(draft or 1))

    def _mac(self, render_id: str, subject: str, expires: str) -> str:
        return signature(self.key.encode(), _PURPOSE, render_id, subject, expires)
