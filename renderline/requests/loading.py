"""Loads a render request: checks it as a whole and names every wrong field by its path."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

from marshmallow import ValidationError

from renderline.contract import TENANT_PATTERN, TENANT_RULE
from renderline.kinds import KINDS, is_draft, load_body
from renderline.kinds.v3_fields import MAX_NAME_LENGTH
from renderline.requests.hook_specs import HookProblem, load_hooks
from renderline.requests.render_request import RenderRequest
from renderline.validation.errors import RequestRefused, flattened, path_order, quoted, refusal, unknown_fields
from renderline.validation.fields import Boolean, Choice, List, Number, Object, Text
from renderline.validation.json_limits import BYTES_PER_VALUE, canonical_json, has_more_values, json_errors
from renderline.validation.schemas import StrictSchema
from renderline.validation.validators import ONE_LINE, Entries, MaxLength, Pattern, Range
from renderline.validation.weight import PASSED_ON

if TYPE_CHECKING:
    from renderline.hooks.kind import HookKind
    from renderline.retry import HookRetryPolicy

VALIDATIONS: Final = ("strict", "warn")
"""`strict` refuses what the vendor's pages forbid, `warn` passes it on with a warning."""
PRIORITIES: Final = ("high", "normal", "low")
MAX_DEADLINE: Final = 7 * 24 * 3600
MAX_METADATA_BYTES: Final = 16 * 1024
MAX_HOOKS: Final = 20
MAX_WARNINGS: Final = 50
"""Warnings that a record keeps. The others are counted."""

ENVELOPE: Final = StrictSchema.from_dict(
    {
        "kind": Choice(KINDS, required=True),
        "name": Text(validate=[MaxLength(MAX_NAME_LENGTH), ONE_LINE]),
        "tenant": Text(validate=[Pattern(TENANT_PATTERN, error=TENANT_RULE)]),
        "account": Text(validate=[MaxLength(100)], load_default="default"),
        "priority": Choice(PRIORITIES, load_default="normal"),
        "deadline": Number(validate=Range(min=1, max=MAX_DEADLINE)),
        "validation": Choice(VALIDATIONS, load_default="strict"),
        "export": Boolean(),
        "metadata": Object(load_default=dict),
        "hooks": List(Object(), validate=Entries(max=MAX_HOOKS), load_default=list),
    },
    name="Envelope",
)()
"""The schema of the fields that every kind of request has."""
_ENVELOPE_FIELDS: Final = tuple(ENVELOPE.fields)

_Errors = dict[str, list[str]]


def load_request(
    data: Any,
    *,
    accounts: Collection[str],
    hook_kinds: Mapping[str, HookKind],
    max_bytes: int,
    hook_problem: HookProblem | None = None,
    hook_retries: HookRetryPolicy | None = None,
) -> RenderRequest:
    """Return the checked and normalised render request in `data`, which may be any decoded JSON value.

    `max_bytes` limits its compact JSON encoding in UTF-8. `hook_problem` says why a hook may not be named; without it
    the hook's kind does. `hook_retries` are the most that a hook may ask for. The result shares parts of `data`; `data`
    is not changed.
    Raises RequestRefused with the path of every wrong field.
    """
    _check_limits(data, max_bytes=max_bytes)
    kind = data["kind"] if isinstance(data.get("kind"), str) and data["kind"] in KINDS else None
    envelope, errors = _envelope(data)
    hooks, hook_errors = load_hooks(envelope.get("hooks", []), hook_kinds, hook_problem, hook_retries)
    body, warnings, body_errors = _body(kind, data, lenient=envelope.get("validation") == "warn")
    draft_errors = _hooks_of_draft(hooks) if is_draft(body) else {}
    account_errors = _account_errors(data, envelope, accounts)
    for found in (_unknown(data, kind), account_errors, hook_errors, body_errors, draft_errors):
        for path, messages in found.items():
            errors.setdefault(path, []).extend(messages)
    if kind is None or errors:
        raise refusal(errors)
    deadline = envelope.get("deadline")
    return RenderRequest(
        kind=kind,
        name=envelope.get("name") or _inner_name(kind, data) or _default_name(kind, body),
        account=envelope["account"],
        priority=envelope["priority"],
        deadline=None if deadline is None else float(deadline),
        metadata=envelope["metadata"],
        hooks=tuple(hooks),
        tenant=envelope.get("tenant"),
        body=body,
        warnings=_texts(warnings),
    )


def _check_limits(data: Any, *, max_bytes: int) -> None:
    """Refuse what is too large or not JSON; size and number of values first, because walking the value takes long."""
    try:
        text: str | None = canonical_json(data)
    except (TypeError, ValueError, RecursionError):
        text = None  # not JSON: named below
    if text is not None:
        _check_size(data, text, max_bytes=max_bytes)
    errors = json_errors(data)
    if errors:
        raise refusal(errors)
    if not isinstance(data, dict):
        raise RequestRefused({"request": ["must be an object"]})


def _check_size(data: Any, text: str, *, max_bytes: int) -> None:
    path = "payload" if isinstance(data, dict) and data.get("payload") else "request"
    size = len(text) if len(text) > max_bytes else len(text.encode(errors="surrogatepass"))
    if size > max_bytes:
        raise RequestRefused({path: [f"is too large: the request has {size} bytes as JSON; at most {max_bytes}"]})
    most = max_bytes // BYTES_PER_VALUE
    if has_more_values(text, most):
        raise RequestRefused({path: [f"has too many values: at most {most} lists, objects, texts and numbers in all"]})


def _envelope(data: dict[str, Any]) -> tuple[dict[str, Any], _Errors]:
    """Return the checked envelope and its errors. With errors, it holds the valid fields alone."""
    given = {name: data[name] for name in _ENVELOPE_FIELDS if name in data}
    try:
        envelope, errors = ENVELOPE.load(given), {}
    except ValidationError as error:
        envelope, errors = dict(error.valid_data or {}), flattened(error.messages)
    metadata = envelope.get("metadata")
    if metadata and len(canonical_json(metadata).encode()) > MAX_METADATA_BYTES:
        errors["metadata"] = [f"must be at most {MAX_METADATA_BYTES} bytes as JSON"]
    return envelope, errors


def _unknown(data: dict[str, Any], kind: str | None) -> _Errors:
    """Return an error for each field that no request, or none of this kind, has at its top."""
    kinds = KINDS.values() if kind is None else (KINDS[kind],)
    known = {"payload", *_ENVELOPE_FIELDS}
    for each in kinds:
        known |= each.fields.keys() | ({"scenes"} if each.compact_schema else set())
    return flattened(unknown_fields(data, known))


def _account_errors(data: dict[str, Any], envelope: dict[str, Any], accounts: Collection[str]) -> _Errors:
    account = envelope.get("account")
    if account is None or account in accounts:
        return {}
    known = ", ".join(sorted(accounts)) or "none"
    error = f"unknown account{quoted(account)}" if data.get("account") is not None else "is required"
    return {"account": [f"{error}; known: {known}"]}


def _body(kind: str | None, data: dict[str, Any], *, lenient: bool) -> tuple[dict[str, Any], _Errors, _Errors]:
    """Return the checked body, its warnings and its errors."""
    if kind is None:
        return {}, {}, {}
    try:
        body, warnings = load_body(KINDS[kind], data, lenient=lenient)
    except RequestRefused as refused:
        return {}, {}, refused.errors
    warnings = {path: [text + PASSED_ON for text in texts] for path, texts in warnings.items()}
    inner, outer = _inner_name(kind, data), data.get("name")
    if inner and outer not in (None, inner, data["payload"]["name"]):
        return body, {}, {"name": ["differs from payload.name: give it once"]}
    if inner and inner != data["payload"]["name"]:
        warnings["payload.name"] = [_SHORTENED]
    return body, warnings, {}


_SHORTENED: Final = (
    f"is longer than {MAX_NAME_LENGTH} characters or has control characters; the render and its project are named by "
    "what fits on one line"
)


def _hooks_of_draft(hooks: list[dict[str, Any]]) -> _Errors:
    error = "must be left out: a draft (export: false) has no video to download"
    return {f"hooks.{at}": [error] for at, hook in enumerate(hooks) if hook["type"] == "download"}


def _inner_name(kind: str, data: dict[str, Any]) -> str | None:
    """Return what a request's own name may be of the name in its payload: one line, not too long."""
    payload = data.get("payload")
    name = payload.get("name") if KINDS[kind].takes_name and isinstance(payload, dict) else None
    if not isinstance(name, str) or not name.strip():
        return None
    if len(name) <= MAX_NAME_LENGTH and not _CONTROL.search(name):
        return name
    return " ".join(_CONTROL.sub(" ", name).split())[:MAX_NAME_LENGTH].rstrip() or None


_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def _texts(warnings: _Errors) -> tuple[str, ...]:
    """Return warnings as texts with their paths, the first `MAX_WARNINGS` in the order of the paths."""
    texts = [f"{path}: {text}" for path in sorted(warnings, key=path_order) for text in warnings[path]]
    more = len(texts) - MAX_WARNINGS
    return (*texts[:MAX_WARNINGS], *([f"{more} more warnings, not listed"] if more > 0 else []))


def _default_name(kind: str, body: dict[str, Any]) -> str:
    source = body.get("project_id") or body.get("template_id")
    return f"{kind.replace('_', ' ').capitalize()} {source}" if source else "Untitled"
