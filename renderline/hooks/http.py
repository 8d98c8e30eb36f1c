"""The hook kind `http`: a signed POST to another service, as Standard Webhooks describes it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3
from marshmallow import Schema, ValidationError, fields, validate
from standardwebhooks import Webhook

from renderline.hooks.kind import LONGEST_RETRY_AFTER, USER_AGENT, Delivery, EventsSchema, HookFailed, chosen
from renderline.http import (
    Client,
    PrivateAddress,
    describe,
    host_and_port,
    is_private_literal,
    origin,
    parse_retry_after,
    url_fault,
)

SECRET_VARIABLE = "RENDERLINE_HOOK_SECRET"
PRIVATE_VARIABLE = "RENDERLINE_ALLOW_PRIVATE_HOOKS"

# Bytes of an answer that are read, so that the connection can be reused. A longer answer closes the connection.
_ANSWER_BYTES = 4096

# Statuses whose `Retry-After` counts.
_RETRY_AFTER_STATUSES = frozenset({429, 502, 503, 504})


def _target(url: str) -> None:
    fault = url_fault(url)
    if fault:
        raise ValidationError(fault)


class HttpHookSchema(EventsSchema):
    """`{"type": "http", "url": "https://example.com/done"}`, optionally with `events`."""

    type = fields.String(required=True, validate=validate.Equal("http"))
    url = fields.String(required=True, validate=[validate.Length(max=2048), _target])


class HttpHook:
    """Posts the delivery as JSON, signed with the secret that the hook endpoint shares."""

    type = "http"
    schema: Schema = HttpHookSchema()

    def __init__(
        self, secret: str | None, *, allow_private: bool = False, timeout: float = 15.0, pool_size: int = 32
    ) -> None:
        """Sign with `secret` (`whsec_...`); `timeout` in seconds is for connecting and the whole answer together.

        Without `allow_private`, hosts at loopback, private, link-local and other non-public addresses are refused.
        Raises ValueError, naming the variable, for a secret that is no `whsec_` one. Threads may share one object.
        """
        self._webhook = Webhook(_checked(secret)) if secret else None
        self._allow_private = allow_private
        self._timeout = timeout
        self._client = Client(user_agent=USER_AGENT, allow_private=allow_private, pool_size=pool_size)

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Return whether the hook asks for this event; without `events` it asks for the default ones."""
        return chosen(event, hook)

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Return why the hook can never be delivered: no secret to sign with, or a private address; None if it can."""
        if self._webhook is None:
            return f"set {SECRET_VARIABLE} (whsec_...)"
        if not self._allow_private and is_private_literal(hook["url"]):
            return f"the url is at a private address; to allow those, set {PRIVATE_VARIABLE}=true"
        return None

    def host(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """Return the endpoint's host and port."""
        return host_and_port(hook["url"])

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Post the delivery once; raises HookFailed unless the endpoint answers 2xx.

        A 410 is permanent: Standard Webhooks says to stop. Every other status is retried, also 4xx: an endpoint
        answers 401 or 404 while its deployment is being repaired. Redirects are failures and are not followed.
        """
        url = hook["url"]
        if problem := self.problem(hook):
            raise HookFailed(f"not delivered: {problem}", permanent=True)
        # ASCII with escapes: a name may hold a lone surrogate, which JSON can express and UTF-8 cannot.
        body = json.dumps(delivery.body(), separators=(",", ":"))
        headers = self._signed(delivery, body)
        timeout = min(self._timeout, delivery.seconds or self._timeout)
        try:
            response = self._client.post(url, headers=headers, body=body.encode(), timeout=timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise self._unreached(url, error) from None
        _finish(response)
        _check_status(response, origin(url))
        return {}

    def _unreached(self, url: str, error: Exception) -> HookFailed:
        # Without the cause: the chain of causes would show the URL with its query in a log.
        private = isinstance(error, PrivateAddress)
        advice = f"; to allow those, set {PRIVATE_VARIABLE}=true" if private else ""
        reason = f"{origin(url)} was not reached: {describe(error)}{advice}"
        return HookFailed(
            f"{origin(url)} was not reached: {self._client.failure(error)}", unreachable=True, reason=reason
        )

    def _signed(self, delivery: Delivery, body: str) -> dict[str, str]:
        assert self._webhook is not None
        second = math.floor(delivery.timestamp)
        signature = self._webhook.sign(delivery.webhook_id, datetime.fromtimestamp(second, UTC), body)
        return {
            "Content-Type": "application/json",
            "webhook-id": delivery.webhook_id,
            "webhook-timestamp": str(second),
            "webhook-signature": signature,
        }


def _checked(secret: str) -> str:
    """Return the secret; raises ValueError unless it is `whsec_` and the base64 of 24 to 64 bytes."""
    advice = (
        f"{SECRET_VARIABLE}: must be whsec_ followed by the base64 of 24 to 64 random bytes; "
        'make one with: echo "whsec_$(openssl rand -base64 32)"'
    )
    if not secret.startswith("whsec_"):
        raise ValueError(advice)
    encoded = secret.removeprefix("whsec_").rstrip("=")
    try:
        # The library would drop characters that are not base64, and sign with the others.
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        raise ValueError(advice) from None
    if not 24 <= len(key) <= 64:
        raise ValueError(advice)
    return secret


def _finish(response: requests.Response) -> None:
    """Read a short answer to its end, so that the connection can be reused; cut off a long one."""
    with contextlib.suppress(urllib3.exceptions.HTTPError, OSError):  # the status is what counts, and it is here
        response.raw.read(_ANSWER_BYTES + 1, decode_content=False)
    response.close()


def _check_status(response: requests.Response, endpoint: str) -> None:
    """Raise HookFailed unless the status is 2xx."""
    status = response.status_code
    if 200 <= status < 300:
        return
    if status == 410:
        raise HookFailed(f"{endpoint} answered 410 Gone: it takes no more deliveries", permanent=True)
    if 300 <= status < 400:
        raise HookFailed(f"{endpoint} answered {status}, a redirect; name the final url in the hook")
    wait = None
    if status in _RETRY_AFTER_STATUSES:
        wait = parse_retry_after(response.headers, now=time.time(), longest=LONGEST_RETRY_AFTER)
    refused = status in (401, 403)
    advice = f"it must verify with the secret in {SECRET_VARIABLE}" if refused else "it must answer 2xx"
    raise HookFailed(f"{endpoint} answered {status}; {advice}", retry_after=wait)
