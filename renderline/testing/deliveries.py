"""Deliveries of hooks: their body, and their signature by the rules of Standard Webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Delivered:
    """A delivery as its receiver got it. For a celery hook `url` is `task@queue`, and there are no headers."""

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> dict[str, Any]:
        """The body: `type`, `timestamp`, and the render's record as `data`."""
        found: dict[str, Any] = json.loads(self.body)
        return found


def iso(seconds: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def body_of(event: str, at: float, record: Mapping[str, Any]) -> bytes:
    """Return the body of a delivery."""
    return json.dumps({"type": event, "timestamp": iso(at), "data": record}, separators=(",", ":")).encode()


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a delivery, `v1,` and base64; `secret` is `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether one of the signatures in the headers of a delivery is right. The age is not looked at."""
    expected = sign(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    return any(hmac.compare_digest(expected, one) for one in headers["webhook-signature"].split())
