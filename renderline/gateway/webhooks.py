"""The vendor's webhooks: each is a hint, kept in the ledger, that the render should be polled now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, request

from renderline.dispatcher import Dispatcher
from renderline.drafts import tag
from renderline.gateway.body_limits import LARGEST_WEBHOOK
from renderline.gateway.webhook_payload import WebhookPayload, parse_webhook
from renderline.ledger import REVOKED, Commands
from renderline.polling.policy import WEBHOOKS_ALIVE_INTERVALS
from renderline.signed_urls.webhook_urls import PATH, WebhookUrls

log = structlog.get_logger(__name__)

blp = Blueprint("webhooks", __name__)

_EXTENSION: Final = "renderline-webhooks"


@dataclass(frozen=True)
class WebhookHandler:
    """Turns webhooks with a genuine signature into hints for the ledger, and wakes the poll pump.

    `interval` is the fallback interval: the seconds between two polls of a render whose webhooks arrive.
    """

    urls: WebhookUrls
    commands: Commands
    dispatcher: Dispatcher
    interval: float

    def handle(self, render_id: str, signature: str, read: Callable[[], WebhookPayload | None]) -> bool:
        """Record a webhook; False if its URL is forged or expired, or its render unknown.

        `read` returns the payload, None for a call that only tests the URL. It runs after the signature check. Raises
        `redis.RedisError` if the ledger cannot be reached.
        """
        about = self.urls.verify(render_id, signature)
        if about is None:
            return False
        payload = read()
        if payload is None:
            return True
        state, wake = self.commands.record_webhook(
            render_id,
            progress=payload.progress,
            credit=payload.credit,
            url=payload.url,
            project_id=payload.project_id,
            attempt=about.attempt,
            draft=about.draft,
            poll_in=self.interval,
            alive_for=self.interval * WEBHOOKS_ALIVE_INTERVALS,
        )
        if state == REVOKED:
            log.error(
                "webhook about a revoked draft: the vendor rendered it, and perhaps charged for it; "
                "find this tag in the vendor's dashboard, and ask the vendor for a refund",
                render_id=render_id,
                tag=tag(render_id, about.attempt, about.draft),
            )
            return True
        log.info("webhook received", render_id=render_id, state=state or "unknown", progress=payload.progress)
        self.dispatcher.poll(wake)
        return bool(state)

    def install(self, app: Flask) -> None:
        """Add the route that the vendor calls."""
        app.extensions[_EXTENSION] = self
        app.register_blueprint(blp)


@blp.route(f"{PATH}/<render_id>/<signature>", methods=["GET", "POST"], provide_automatic_options=False)
def receive(render_id: str, signature: str) -> Response:
    """Receive a webhook: POST with a body (v3), GET or POST with a query string (v2)."""
    handler: WebhookHandler = current_app.extensions[_EXTENSION]
    # Forged, expired and unknown URLs get the same answer as any unknown path.
    if not handler.handle(render_id, signature, _payload):
        abort(404)
    return Response(status=204)


def _payload() -> WebhookPayload | None:
    """Return the content of the present request; None for a GET without any."""
    if (request.content_length or 0) > LARGEST_WEBHOOK:
        abort(413)
    request.max_content_length = LARGEST_WEBHOOK + 1
    body = request.get_data(cache=False)
    if len(body) > LARGEST_WEBHOOK:
        # If a body has no length, Werkzeug cuts it at the limit without an error.
        abort(413)
    payload = parse_webhook(request.query_string, body)
    # A test of the URL says nothing about the render.
    return None if payload == WebhookPayload() and request.method != "POST" else payload
