"""Render requests for one deployment without hooks: loading them, their vendor bodies, their ledger records."""

from __future__ import annotations

from typing import Any

from renderline.acceptance import ledger_entry
from renderline.kinds import KINDS
from renderline.ledger import Ledger
from renderline.requests import RenderRequest, load_request


def load(data: Any) -> RenderRequest:
    """Load the request in `data`. There is one account, `default`."""
    return load_request(data, accounts=["default"], hook_kinds={}, max_bytes=1_000_000)


def build(request: RenderRequest, *, name: str = "n", webhook_url: str | None = None) -> dict[str, Any]:
    """Return the vendor body of the call that starts a render."""
    return KINDS[request.kind].build(request.body, name=name, webhook_url=webhook_url)


def record(
    ledger: Ledger, render_id: str, data: dict[str, Any], *, account: str = "main", deadline: float = 600.0
) -> str:
    """Record a request in the ledger as the acceptor does; nothing is published. Returns the render id."""
    request = load_request({**data, "account": account}, accounts=[account], hook_kinds={}, max_bytes=1 << 20)
    ledger.accept(ledger_entry(render_id, request, deadline=deadline))
    return render_id
