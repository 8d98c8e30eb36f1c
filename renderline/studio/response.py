"""Response classification: turns an HTTP response of the vendor into the envelope of a success, or a typed fault."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from renderline.http.retry_after import parse_retry_after
from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import (
    CreditExhausted,
    PayloadRefused,
    ProjectMissing,
    RateLimited,
    StudioFault,
    TokenRejected,
)
from renderline.studio.json_text import cleaned, may_need_cleaning
from renderline.studio.redaction import redact


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes


UNEXPLAINED = "refused without a reason"
# The vendor documents neither codes nor texts. These texts mean that the account is out of credit.
_NO_CREDIT = re.compile(
    r"\b(not enough|insufficient|out of) (\w+ )?credits?\b|\bcredits? (is |are )?(exhausted|insufficient)\b", re.I
)

LONGEST_WAIT = 300.0
"""The most seconds that a client waits because the vendor asks for it, unless configured otherwise."""


def decode(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `content`, its texts cleaned (see `text`), or None if there is none."""
    try:
        body = json.loads(content)
        if may_need_cleaning(content):
            body = cleaned(body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_refusal(body: Mapping[str, Any]) -> bool:
    """Return whether an envelope reports a failure: `success` is false, or there is an `error` and no `success`."""
    if "success" in body:
        return body["success"] is False
    return bool(body.get("error"))


def has_envelope(body: Mapping[str, Any] | None) -> bool:
    """Return whether a body has the vendor's envelope, v3 or v2: then the vendor's application sent it."""
    return body is not None and ("success" in body or "error" in body)


def _may_be_a_proxys(status: int, body: Mapping[str, Any] | None) -> bool:
    """Return whether a refusal without an envelope may come from a proxy or firewall, and so says nothing about the
    call.

    401, 402 and 429 mean the same from any sender, and 413 will not change. A 403 in JSON comes from an API gateway
    that refuses the token.
    """
    return status not in (401, 402, 413, 429) and (status != 403 or body is None)


def error_of(body: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
    """Return code and message of a failure envelope, v3 (`error.code`, `error.msg`) or v2 (`msg`)."""
    if body is None:
        return None, None
    error = body.get("error")
    source: Mapping[str, Any] = error if isinstance(error, dict) else body
    code = source.get("code")
    message = next((source[name] for name in ("msg", "message") if isinstance(source.get(name), str)), None)
    if message is None and isinstance(error, str):
        message = error
    return (None if code is None or isinstance(code, (dict, list)) else str(code)), message


def classify(
    endpoint: Endpoint,
    response: Response,
    *,
    secrets: Iterable[str] = (),
    now: float,
    longest_wait: float = LONGEST_WAIT,
) -> dict[str, Any]:
    """Return the envelope of a successful response; raise a typed fault for any other.

    401 and 403 are TokenRejected, 429 RateLimited, lack of credit CreditExhausted, other refusals PayloadRefused.
    If the call may have taken effect all the same (5xx, redirects, anything but a JSON object, a refusal without the
    vendor's envelope, which may be a proxy's), it is OutcomeUnknown for a call with a side effect, otherwise
    VendorUnavailable.
    """
    status = response.status
    body = decode(response.content)
    if 200 <= status < 300:
        if body is None:
            raise endpoint.unseen(_shape(response), status=status)
        if not is_refusal(body):
            return body
    code, text = error_of(body if has_envelope(body) else None)
    hidden = list(secrets) if code or text else []
    code = None if code is None else redact(code, hidden)[:64]
    message = redact(text, hidden) if text else None
    wait = parse_retry_after(response.headers, now=now, longest=longest_wait)
    found: dict[str, Any] = {"status": status, "code": code}
    if status < 200 or 300 <= status < 400:
        raise endpoint.unseen("the vendor redirects; check the base URL", **found)
    if status in (408, 425) or status >= 500:
        # 503 with Retry-After promises nothing about a paid call, so its outcome is read from the project.
        if status == 503 and wait is not None and not endpoint.effect:
            raise RateLimited(message or "the vendor is overloaded", endpoint=str(endpoint), retry_after=wait, **found)
        raise endpoint.unseen(message or "the vendor failed", retry_after=wait, **found)
    if not has_envelope(body) and _may_be_a_proxys(status, body):
        raise endpoint.unseen(
            f"refused, but not by the vendor's application; {_shape(response)}", retry_after=wait, **found
        )
    kind: type[StudioFault] = PayloadRefused
    if status == 429:
        kind = RateLimited
    elif status == 402 or (text and _NO_CREDIT.search(text)):
        kind = CreditExhausted
    elif status in (401, 403):
        kind = TokenRejected
    elif status == 404 and endpoint.of_project:
        kind = ProjectMissing
    fallback = UNEXPLAINED if body is not None else f"refused; {_shape(response)}"
    raise kind(message or fallback, endpoint=str(endpoint), retry_after=wait, **found)


def _shape(response: Response) -> str:
    # The text is not quoted: an error page of a proxy may repeat the whole request, token included.
    if not response.content:
        return "the answer is empty"
    kind = redact(response.headers.get("Content-Type", "no type"), ())[:60]
    return f"the answer is not a JSON object ({len(response.content)} bytes, {kind}); check the base URL if it stays so"
