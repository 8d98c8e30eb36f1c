"""Verifies a delivery with the library standardwebhooks: `python verify_library.py SECRET HEADERS.json BODY`."""

import json
import sys

from standardwebhooks import Webhook

if __name__ == "__main__":
    secret, headers_path, body_path = sys.argv[1:]
    with open(headers_path) as headers, open(body_path, "rb") as body:
        # Raises WebhookVerificationError. The names of the headers must be in lower case.
        event = Webhook(secret).verify(body.read(), {name.lower(): one for name, one in json.load(headers).items()})
    print(event["type"], event["data"]["id"])
