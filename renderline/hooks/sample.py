"""Deliveries for trying a receiver: of a made-up render, or of a real one."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from renderline.hooks.kind import Delivery
from renderline.ledger.record import public_record

_SECONDS: Final = 90.0
"""How long ago the made-up render was submitted."""

_ENDS: Final[Mapping[str, Mapping[str, str]]] = {
    "completed": {"progress": "100", "download_url": "https://example.com/sample.mp4", "credit": "12"},
    "failed": {"error_code": "50010", "error_message": "No credit", "error_origin": "vendor", "progress": "40"},
    "expired": {
        "error_code": "deadline",
        "error_message": "still rendering at its deadline",
        "error_origin": "renderline",
        "progress": "95",
    },
    "canceled": {"progress": "40"},
}


def sample(event: str, *, now: float, record: Mapping[str, Any] | None = None) -> Delivery:
    """Return a delivery of an event at `now` (epoch seconds), about the render of a record or a made-up one.

    Its id is its own.
    """
    about = dict(record) if record is not None else _made_up(event.removeprefix("render."), now)
    return Delivery(event, f"msg_sample_{secrets.token_hex(8)}", now, about)


def _made_up(state: str, now: float) -> dict[str, Any]:
    fields = {
        "kind": "export",
        "account": "default",
        "priority": "normal",
        "state": state,
        "stage": "export",
        "project_id": "65fa6b07dca2e367461a2925",
        "deadline_at": str(now - _SECONDS + 3600),
        "attempts": "1",
        "polls": "3",
        "by": "sample",
        **{f"t:{one}": str(now - _SECONDS) for one in ("accepted", "submitting", "rendering")},
        f"t:{state}": str(now),
        **_ENDS[state],
    }
    meta = {"name": "Sample", "hooks": [{"type": "http"}], "metadata": {"sample": True}}
    return public_record("0" * 32, fields, meta)
