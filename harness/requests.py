"""Render requests as one deployment without hooks loads them, and the vendor bodies built from them."""

from __future__ import annotations

from typing import Any

from renderline.kinds import KINDS
from renderline.requests import RenderRequest, load_request


def load(data: Any) -> RenderRequest:
    """Return the request in `data`. There is one account, `default`."""
    return load_request(data, accounts=["default"], hook_kinds={}, max_bytes=1_000_000)


def build(request: RenderRequest, *, name: str = "n", webhook_url: str | None = None) -> dict[str, Any]:
    """Return the vendor body of the call that starts a render."""
    return KINDS[request.kind].build(request.body, name=name, webhook_url=webhook_url)
