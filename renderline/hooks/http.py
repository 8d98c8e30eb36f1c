"""The hook kind `http`: a signed POST to another service, as Standard Webhooks describes it."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
import urllib3
from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from standardwebhooks import Webhook

from renderline.hooks.kind import (
    LONGEST_RETRY_AFTER,
    USER_AGENT,
    Delivery,
    HookFailed,
    RetriedSchema,
    chosen,
    setting_of,
)
from renderline.http import (
    Client,
    PrivateAddress,
    describe,
    host_and_port,
    host_matches,
    is_private_literal,
    origin,
    parse_retry_after,
    url_fault,
)
from renderline.tenants import DEFAULT, Actor, Endpoint, Tenant, Tenants

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


class HttpHookSchema(RetriedSchema):
    """`{"type": "http", "url": "https://example.com/done"}`, or `endpoint` with the name of a registered one instead of
    `url`; optionally with `events`.
    """

    one_of = ("url", "endpoint")
    """The fields of which exactly one is given, for the API's description."""

    type = fields.String(required=True, validate=validate.Equal("http"))
    url = fields.String(validate=[validate.Length(max=2048), _target])
    endpoint = fields.String(
        validate=validate.Regexp(
            r"[a-z0-9][a-z0-9_-]{0,63}\Z", error="must be the name of an endpoint: lower-case letters, digits, - and _."
        )
    )

    @validates_schema(skip_on_field_errors=True)
    def _one_target(self, data: Mapping[str, Any], **_: Any) -> None:
        if ("url" in data) == ("endpoint" in data):
            raise ValidationError("give either url or endpoint, the name of a registered one", "url")


class HttpHook:
    """Posts the delivery as JSON, signed with the secrets that the hook endpoint shares.

    The tenants' policies say which secrets sign, which endpoints have names, and which hosts may be called. An endpoint
    has secrets of its own or its tenant's; so no receiver can sign for one of another tenant or endpoint.
    """

    type = "http"
    schema: Schema = HttpHookSchema()

    def __init__(
        self, tenants: Tenants, *, allow_private: bool = False, timeout: float = 15.0, pool_size: int = 32
    ) -> None:
        """Call for these tenants; `timeout` in seconds is for connecting and the whole answer together.

        Without `allow_private`, hosts at loopback, private, link-local and other non-public addresses are refused.
        Threads may share one object.
        """
        self._tenants = tenants
        self._allow_private = allow_private
        self._timeout = timeout
        self._client = Client(user_agent=USER_AGENT, allow_private=allow_private, pool_size=pool_size)

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Return whether the hook asks for this event; without `events` it asks for the default ones."""
        return chosen(event, hook)

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Return why the hook can never be delivered for the tenant `default`; None if it can."""
        return self._problem(hook, self._tenants.of(DEFAULT))

    def refusal(self, hook: Mapping[str, Any], tenant: Tenant, actor: Actor) -> str | None:
        """Return why the tenant's request may not name the hook: an unknown endpoint, a host that it may not call, no
        secret to sign with, or a private address.
        """
        return self._problem(hook, tenant)

    def _problem(self, hook: Mapping[str, Any], tenant: Tenant) -> str | None:
        target = self._target(hook, tenant)
        if target is None:
            known = ", ".join(sorted(tenant.endpoints)) or "none"
            return f"unknown endpoint {hook['endpoint']!r} of tenant {tenant.name}; known: {known}"
        if not target.secrets:
            return f"set {setting_of(tenant, 'hook_secrets', SECRET_VARIABLE)} (whsec_...)"
        if "url" in hook:
            if not tenant.allow_hook_urls:
                known = ", ".join(sorted(tenant.endpoints)) or "none"
                return f"tenant {tenant.name} may name no url, but an endpoint; known: {known}"
            if tenant.hook_hosts is not None and not host_matches(target.url, tenant.hook_hosts):
                allowed = ", ".join(tenant.hook_hosts) or "none"
                return f"tenant {tenant.name} may not call {origin(target.url)}; allowed hosts: {allowed}"
        return self._private(target.url)

    def _private(self, url: str) -> str | None:
        if self._allow_private or not is_private_literal(url):
            return None
        return f"the url is at a private address; to allow those, set {PRIVATE_VARIABLE}=true"

    @staticmethod
    def _target(hook: Mapping[str, Any], tenant: Tenant) -> Endpoint | None:
        """Return where the hook goes and what signs it; None for an endpoint that is not registered here."""
        if "endpoint" not in hook:
            return Endpoint(hook["url"], tenant.hook_secrets)
        found = tenant.endpoints.get(hook["endpoint"])
        return found and Endpoint(found.url, found.secrets or tenant.hook_secrets)

    def _tenant(self, record: Mapping[str, Any]) -> Tenant:
        return self._tenants.of(record.get("tenant") or DEFAULT)

    def missing(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str | None:
        """Return what this process has to be set up with for the hook: `http:<tenant>` or `http:<tenant>/<endpoint>`;
        None if nothing is missing.
        """
        tenant = self._tenant(record)
        target = self._target(hook, tenant)
        if target is not None and target.secrets:
            return None
        return f"http:{tenant.name}/{hook['endpoint']}" if "endpoint" in hook else f"http:{tenant.name}"

    def host(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """Return the endpoint's host and port."""
        target = self._target(hook, self._tenant(record))
        return host_and_port(target.url) if target else ""

    def endpoint(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """Return the name of a registered endpoint, otherwise where the URL goes: its path may be a secret."""
        return f"endpoint {hook['endpoint']}" if "endpoint" in hook else origin(hook["url"])

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Post the delivery once; raises HookFailed unless the endpoint answers 2xx.

        A 410 is permanent: Standard Webhooks says to stop. Every other status is retried, also 4xx: an endpoint
        answers 401 or 404 while its deployment is being repaired. Redirects are failures and are not followed. A
        tenant's policy is checked again; another worker may have a newer one, so what it forbids is retried.
        """
        tenant = self._tenant(delivery.record)
        target = self._target(hook, tenant)
        if problem := self._problem(hook, tenant):
            permanent = target is not None and self._private(target.url) is not None
            raise HookFailed(f"not delivered: {problem}", permanent=permanent)
        assert target is not None
        # ASCII with escapes: a name may hold a lone surrogate, which JSON can express and UTF-8 cannot.
        body = json.dumps(delivery.body(), separators=(",", ":"))
        headers = _signed(delivery, body, target.secrets)
        timeout = min(self._timeout, delivery.seconds or self._timeout)
        try:
            response = self._client.post(target.url, headers=headers, body=body.encode(), timeout=timeout)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise self._unreached(target.url, error) from None
        _finish(response)
        _check_status(response, origin(target.url))
        return {"status": response.status_code}

    def _unreached(self, url: str, error: Exception) -> HookFailed:
        # Without the cause: the chain of causes would show the URL with its query in a log.
        private = isinstance(error, PrivateAddress)
        advice = f"; to allow those, set {PRIVATE_VARIABLE}=true" if private else ""
        reason = f"{origin(url)} was not reached: {describe(error)}{advice}"
        return HookFailed(
            f"{origin(url)} was not reached: {self._client.failure(error)}", unreachable=True, reason=reason
        )


def _signed(delivery: Delivery, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers of Standard Webhooks. Each secret signs: the endpoint may know the older or the newer one."""
    second = math.floor(delivery.timestamp)
    time_of = datetime.fromtimestamp(second, UTC)
    request_id = delivery.record.get("request_id")
    return {
        **({"X-Request-ID": request_id} if request_id else {}),
        "Content-Type": "application/json",
        "webhook-id": delivery.webhook_id,
        "webhook-timestamp": str(second),
        "webhook-signature": " ".join(Webhook(one).sign(delivery.webhook_id, time_of, body) for one in secrets),
    }


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
        raise HookFailed(f"{endpoint} answered 410 Gone: it takes no more deliveries", permanent=True, status=410)
    if 300 <= status < 400:
        raise HookFailed(f"{endpoint} answered {status}, a redirect; name the final url in the hook", status=status)
    wait = None
    if status in _RETRY_AFTER_STATUSES:
        wait = parse_retry_after(response.headers, now=time.time(), longest=LONGEST_RETRY_AFTER)
    refused = status in (401, 403)
    advice = "it must verify with one of the secrets that sign its calls" if refused else "it must answer 2xx"
    raise HookFailed(f"{endpoint} answered {status}; {advice}", retry_after=wait, status=status)
