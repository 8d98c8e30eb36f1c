"""The vendor's webhooks: their signed URLs, and the fallback interval of polls."""

from __future__ import annotations

from config.settings import Settings
from renderline.signed_urls.webhook_urls import WebhookUrls


def webhook_urls(settings: Settings) -> WebhookUrls | None:
    """Return the signer and verifier of webhook URLs; None if the vendor cannot reach the gateway."""
    if not settings.public_url or not settings.secret_key:
        return None
    return WebhookUrls(settings.public_url, settings.secret_key)


def fallback_interval(settings: Settings) -> float | None:
    """Return the seconds between two polls of a render while webhooks arrive; None without webhooks."""
    return max(settings.webhook_poll, settings.poll_min) if settings.public_url else None
