"""What an HTTP answer of the vendor means: the envelope of a success, or the typed fault that it stands for."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from renderline.http.retry_after import parse_retry_after
from renderline.studio.discretion import conceal
from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import (
    CreditExhausted,
    PayloadRefused,
    ProjectMissing,
    RateLimited,
    StudioFault,
    TokenRejected,
)
from renderline.studio.text import cleaned, may_harm


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes


UNEXPLAINED = "refused without a reason"
# The vendor documents neither codes nor texts; these say that no render of the account will be taken.
_NO_CREDIT = re.compile(
    r"\b(not enough|insufficient|out of) (\w+ )?credits?\b|\bcredits? (is |are )?(exhausted|insufficient)\b", re.I
)

LONGEST_WAIT = 300.0
"""The most seconds of a wait that the vendor asks for that are believed, where nothing else was configured."""


def decode(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in `content`, its texts cleaned (see `text`), or None if there is none."""
    try:
        body = json.loads(content)
        if may_harm(content):
            body = cleaned(body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def refuses(body: Mapping[str, Any]) -> bool:
    """True if an envelope says no: `success` false, or an `error` where `success` should be."""
    if "success" in body:
        return body["success"] is False
    return bool(body.get("error"))


def enveloped(body: Mapping[str, Any] | None) -> bool:
    """True if an answer has the vendor's envelope, v3 or v2: then it was the vendor's application that spoke."""
    return body is not None and ("success" in body or "error" in body)


def _may_be_another(status: int, body: Mapping[str, Any] | None) -> bool:
    """True if a refusal without an envelope may come from a proxy or firewall, and says nothing about the call.

    401, 402 and 429 mean the same whoever says them, and 413 will not change. An API gateway tells in JSON that a token
    is not good.
    """
    return status not in (401, 402, 413, 429) and (status != 403 or body is None)


def complaint(body: Mapping[str, Any] | None) -> tuple[str | None, str | None]:
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


def verdict(
    endpoint: Endpoint,
    answer: Answer,
    *,
    secrets: Iterable[str] = (),
    now: float,
    longest_wait: float = LONGEST_WAIT,
) -> dict[str, Any]:
    """Return the envelope of a successful answer, or raise the fault that the answer stands for.

    401 and 403 are TokenRejected, 429 RateLimited, a want of credit CreditExhausted, other refusals PayloadRefused.
    What may have happened unseen (5xx, redirects, anything but a JSON object, a refusal without the vendor's envelope,
    which a proxy or firewall may have spoken) is VendorUnavailable or, for a call with a side effect, OutcomeUnknown.
    """
    status = answer.status
    body = decode(answer.content)
    if 200 <= status < 300:
        if body is None:
            raise endpoint.unseen(_shape(answer), status=status)
        if not refuses(body):
            return body
    code, told = complaint(body if enveloped(body) else None)
    hidden = list(secrets) if code or told else []
    code = None if code is None else conceal(code, hidden)[:64]
    message = conceal(told, hidden) if told else None
    wait = parse_retry_after(answer.headers, now=now, longest=longest_wait)
    found: dict[str, Any] = {"status": status, "code": code}
    if status < 200 or 300 <= status < 400:
        raise endpoint.unseen("the vendor points to another place; check the base URL", **found)
    if status in (408, 425) or status >= 500:
        # 503 with Retry-After promises nothing about a call that costs money, so that one is settled by reading.
        if status == 503 and wait is not None and not endpoint.effect:
            raise RateLimited(message or "the vendor is overloaded", endpoint=str(endpoint), retry_after=wait, **found)
        raise endpoint.unseen(message or "the vendor failed", retry_after=wait, **found)
    if not enveloped(body) and _may_be_another(status, body):
        raise endpoint.unseen(
            f"refused, but not by the vendor's application; {_shape(answer)}", retry_after=wait, **found
        )
    kind: type[StudioFault] = PayloadRefused
    if status == 429:
        kind = RateLimited
    elif status == 402 or (told and _NO_CREDIT.search(told)):
        kind = CreditExhausted
    elif status in (401, 403):
        kind = TokenRejected
    elif status == 404 and endpoint.of_project:
        kind = ProjectMissing
    fallback = UNEXPLAINED if body is not None else f"refused; {_shape(answer)}"
    raise kind(message or fallback, endpoint=str(endpoint), retry_after=wait, **found)


def _shape(answer: Answer) -> str:
    # The text itself stays unquoted: an error page of a proxy may repeat the whole request, token included.
    if not answer.content:
        return "the answer is empty"
    kind = conceal(answer.headers.get("Content-Type", "no type"), ())[:60]
    return f"the answer is not a JSON object ({len(answer.content)} bytes, {kind}); check the base URL if it stays so"
