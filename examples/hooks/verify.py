"""Verifies a delivery with Python's standard library: `python verify.py SECRET HEADERS.json BODY`."""

import base64
import hashlib
import hmac
import json
import sys
import time

TOLERANCE = 300  # seconds


def verify(body: bytes, headers: dict[str, str], secret: str) -> dict:
    """Return the event. Raises ValueError for a call that somebody else made, or that was sent long ago."""
    given = {name.lower(): value for name, value in headers.items()}
    try:
        webhook_id, sent, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = abs(time.time() - int(sent))
    except (KeyError, ValueError):
        raise ValueError("a webhook header is missing or wrong") from None
    if age > TOLERANCE:
        raise ValueError("it was sent too long ago, or a clock is wrong")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{sent}.".encode() + body  # the bytes as they came: JSON that was parsed differs
    right = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    if not any(hmac.compare_digest(right, one.encode()) for one in signatures.split()):
        raise ValueError("no signature is right")
    return json.loads(body)


if __name__ == "__main__":
    secret, headers_path, body_path = sys.argv[1:]
    with open(headers_path) as headers, open(body_path, "rb") as body:
        event = verify(body.read(), json.load(headers), secret)
    print(event["type"], event["data"]["id"])
