"""The vendor's door: takes the calls about renders, whatever they look like, as hints to look now."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from flask import Blueprint, Response, abort, request

from renderline.dispatcher import Dispatcher
from renderline.drafts import tag
from renderline.ledger import REVOKED, Commands
from renderline.polling.policy import WEBHOOKS_ALIVE_INTERVALS
from renderline.webhook_urls import PATH, WebhookUrls

log = structlog.get_logger(__name__)

LARGEST_BODY = 64 * 1024
"""Bytes. The documented body has four short fields."""

_LONGEST_URL = 4096
_LONGEST_KEY = 200


@dataclass(frozen=True)
class Told:
    """What a call said about its render; whatever was missing or made no sense is None."""

    progress: float | None = None
    credit: float | None = None
    url: str | None = None
    project_id: str | None = None


@dataclass(frozen=True)
class Receiver:
    """Turns calls that bear a genuine signature into hints for the ledger, and has the render looked at.

    `net` is the time in seconds between the looks at a render whose webhooks arrive.
    """

    callbacks: WebhookUrls
    operations: Commands
    dispatcher: Dispatcher
    net: float

    def receive(self, render_id: str, signature: str, read: Callable[[], Told | None]) -> bool:
        """Take note of a call; False if it is forged, expired or about nothing that we know.

        `read` says what the call told, None if it was no call about a render; it is asked only once the signature has
        proved genuine. Raises `redis.RedisError` if the ledger cannot be reached.
        """
        about = self.callbacks.about(render_id, signature)
        if about is None:
            return False
        told = read()
        if told is None:
            return True
        state, wake = self.operations.record_webhook(
            render_id,
            progress=told.progress,
            credit=told.credit,
            url=told.url,
            project_id=told.project_id,
            attempt=about.attempt,
            draft=about.draft,
            poll_in=self.net,
            alive_for=self.net * WEBHOOKS_ALIVE_INTERVALS,
        )
        if state == REVOKED:
            log.error(
                "vendor called about a draft that was revoked: it was rendered, and perhaps paid for, all the same; "
                "look for this tag in the vendor's dashboard, and ask the vendor for the credit",
                render_id=render_id,
                tag=tag(render_id, about.attempt, about.draft),
            )
            return True
        log.info("vendor called", render_id=render_id, state=state or "unknown", progress=told.progress)
        self.dispatcher.poll(wake)
        return bool(state)


def blueprint(receiver: Receiver) -> Blueprint:
    """Return the route that the vendor calls: POST with a body (v3), GET or POST with a query string (v2)."""
    routes = Blueprint("webhooks", __name__)

    @routes.route(f"{PATH}/<render_id>/<signature>", methods=["GET", "POST"], provide_automatic_options=False)
    def called(render_id: str, signature: str) -> Response:
        # One answer for forged, expired and unknown, and that of any address where nothing is.
        if not receiver.receive(render_id, signature, _told):
            abort(404)
        return Response(status=204)

    return routes


def _told() -> Told | None:
    """Return what the present request says in its query string and its body; None if it only asked for the address."""
    request.max_content_length = LARGEST_BODY + 1
    body = request.get_data(cache=False)
    if len(body) > LARGEST_BODY:
        # A body that does not say how long it is comes cut off.
        abort(413)
    told = read_call(request.query_string, body)
    # Whoever tries out whether the address answers has not said that a render was started.
    return None if told == Told() and request.method != "POST" else told


def read_call(query: bytes, body: bytes) -> Told:
    """Return what a call says, from its raw query string and body, in any of the forms that the vendor may send.

    v3 sends a JSON object, flat or inside `data` (AI Studios v3 contract, webhook); v2 appends a query string (v2
    contract, webhook). Neither method nor content type is documented, so neither is asked for.
    """
    fields = {**_form(query), **_object(body)}
    url = _address(fields, "download_url", "downloadUrl", "videoUrl")
    progress = _number(fields.get("progress"))
    if progress is None and url:
        # v2 calls once, when the video is there, and names no progress.
        progress = 100.0
    return Told(
        progress=None if progress is None else min(progress, 100.0),
        credit=_number(fields.get("credit")),
        url=url,
        project_id=_project(fields.get("ai_progress_update_loc")),
    )


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
        if isinstance(value, str):
            value = json.loads(value)
    except (ValueError, RecursionError):
        return _form(body)
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return {}
    inner = value.get("data")
    return {**value, **inner} if isinstance(inner, dict) else value


def _form(text: bytes) -> Mapping[str, Any]:
    try:
        return dict(parse_qsl(text.decode(errors="replace"), max_num_fields=50))
    except ValueError:
        return {}


def _number(value: Any) -> float | None:
    """Return a finite number of at least 0 from a number or its text, None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _address(fields: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the fields that holds an http(s) address."""
    for name in names:
        value = fields.get(name)
        if not isinstance(value, str) or len(value) > _LONGEST_URL or not value.isprintable() or " " in value:
            continue
        try:
            parts = urlsplit(value)
            if parts.scheme in ("http", "https") and parts.hostname:
                return value
        except ValueError:
            continue
    return None


def _project(place: Any) -> str | None:
    """Return the project key out of v2's `ai-video/<key>/`, None if it is not of that form."""
    if not isinstance(place, str) or len(place) > _LONGEST_KEY:
        return None
    parts = [part for part in place.split("/") if part]
    key = parts[1] if len(parts) > 1 else ""
    return key if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum() else None
