"""Sample values: the checkout, its example payloads, credentials and a render request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOOK_SECRET = "whsec_cmVuZGVybGluZS10ZXN0LXNlY3JldC0zMi1ieXRlcyE="
USER_KEY = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}


def example(name: str) -> dict[str, Any]:
    """Return one of the example payloads."""
    payload: dict[str, Any] = json.loads((ROOT / "examples" / name).read_text())
    return payload


def a_request(script: str = "Hello.", **fields: Any) -> dict[str, Any]:
    """Return a compact render request."""
    return {"kind": "project", "scenes": [{"script": script, "avatar": AVATAR}], **fields}
