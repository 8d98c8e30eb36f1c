"""The content of a vendor webhook, in any of the forms that the vendor may send."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

_SECOND_QUERY: Final = re.compile(r"\?(?=(?:ai_progress_update_loc|videoUrl)=)")
"""v2 appends its query string to our URL. Nothing says whether it does so by `&` if the URL has a query already."""
_LONGEST_URL: Final = 4096
_LONGEST_KEY: Final = 200
_LARGEST_CREDIT: Final = 10_000.0
"""A render costs a few credits; a report of more than this is none."""


@dataclass(frozen=True)
class WebhookPayload:
    """The content of a webhook; a missing or invalid field is None."""

    progress: float | None = None
    credit: float | None = None
    url: str | None = None
    project_id: str | None = None


def parse_webhook(query: bytes, body: bytes) -> WebhookPayload:
    """Return the content of a webhook, from its raw query string and body; never raises.

    v3 sends a JSON object, flat or inside `data` (AI Studios v3 contract, webhook); v2 appends a query string (v2
    contract, webhook). The vendor documents neither method nor content type, so all are accepted.
    """
    fields = {**_form(query), **_object(body)}
    url = _http_url(fields, "download_url", "downloadUrl", "videoUrl")
    progress, credit = _number(fields.get("progress")), _number(fields.get("credit"))
    if progress is None and url:
        # v2 calls once, when the video is finished, and sends no progress.
        progress = 100.0
    return WebhookPayload(
        progress=None if progress is None else min(progress, 100.0),
        credit=credit if credit is not None and credit <= _LARGEST_CREDIT else None,
        url=url,
        project_id=_project_id(fields.get("ai_progress_update_loc")),
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
        query = _SECOND_QUERY.sub("&", text.decode(errors="replace"))
        return dict(parse_qsl(query, max_num_fields=50))
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


def _http_url(fields: Mapping[str, Any], *names: str) -> str | None:
    """Return the first of the fields that holds an http(s) URL."""
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


def _project_id(place: Any) -> str | None:
    """Return the project key from v2's `ai-video/<key>/`, None for any other form."""
    if not isinstance(place, str) or len(place) > _LONGEST_KEY:
        return None
    parts = [part for part in place.split("/") if part]
    key = parts[1] if len(parts) > 1 else ""
    return key if key and key.isascii() and key.replace("-", "").replace("_", "").isalnum() else None
