"""Checks a render request at the door, whichever door it came through, and names every wrong field by its path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from marshmallow import ValidationError

from renderline.payloads import KINDS, RequestRefused, load_body
from renderline.payloads.fields import Choice, Number, Record, Text
from renderline.payloads.project import LONGEST_NAME, NAME_PATTERN, NAME_RULE
from renderline.payloads.refusal import flattened, refusal, shown, unknown_fields
from renderline.payloads.structure import Many, Ours

from .hooks import HookKind, hook_faults
from .request import RenderRequest
from .soundness import canonical, faults

PRIORITIES: Final = ("high", "normal", "low")
LONGEST_DEADLINE: Final = 7 * 24 * 3600
MOST_METADATA_BYTES: Final = 16 * 1024
MOST_HOOKS: Final = 20

ENVELOPE: Final = Ours.from_dict(
    {
        "kind": Choice(KINDS, required=True),
        "name": Text(longest=LONGEST_NAME, pattern=NAME_PATTERN, rule=NAME_RULE),
        "account": Text(longest=100, load_default="default"),
        "priority": Choice(PRIORITIES, load_default="normal"),
        "deadline": Number(least=1, most=LONGEST_DEADLINE),
        "metadata": Record(load_default=dict),
        "hooks": Many(Record(), most=MOST_HOOKS, load_default=list),
    },
    name="Envelope",
)()
"""The schema of what every kind of request has."""
_ENVELOPE_FIELDS: Final = tuple(ENVELOPE.fields)

_Errors = dict[str, list[str]]


def load_request(
    data: Any, *, accounts: Collection[str], hook_kinds: Mapping[str, HookKind], max_bytes: int
) -> RenderRequest:
    """Return the render request in `data`, any decoded JSON value, checked and normalised.

    `max_bytes` limits its compact JSON encoding in UTF-8. Parts of `data` are shared, none is changed.
    Raises RequestRefused with the path of every wrong field.
    """
    _refuse_unsound(data, max_bytes=max_bytes)
    kind = data["kind"] if isinstance(data.get("kind"), str) and data["kind"] in KINDS else None
    envelope, errors = _envelope(data)
    hooks, wrong_hooks = hook_faults(envelope.get("hooks", []), hook_kinds)
    body, wrong_body = _body(kind, data)
    for found in (_strangers(data, kind), _account_faults(data, envelope, accounts), wrong_hooks, wrong_body):
        for path, said in found.items():
            errors.setdefault(path, []).extend(said)
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
        body=body,
    )


def _refuse_unsound(data: Any, *, max_bytes: int) -> None:
    unsound = faults(data)
    if unsound:
        raise refusal(unsound)
    if not isinstance(data, dict):
        raise RequestRefused({"request": ["must be an object"]})
    size = len(canonical(data).encode())
    if size > max_bytes:
        path = "payload" if data.get("payload") else "request"
        raise RequestRefused({path: [f"is too large: the request has {size} bytes as JSON; at most {max_bytes}"]})


def _envelope(data: dict[str, Any]) -> tuple[dict[str, Any], _Errors]:
    """Return the checked envelope (what is right of it, if something is wrong) and its errors."""
    given = {name: data[name] for name in _ENVELOPE_FIELDS if name in data}
    try:
        envelope, errors = ENVELOPE.load(given), {}
    except ValidationError as error:
        envelope, errors = dict(error.valid_data or {}), flattened(error.messages)
    metadata = envelope.get("metadata")
    if metadata and len(canonical(metadata).encode()) > MOST_METADATA_BYTES:
        errors["metadata"] = [f"must be at most {MOST_METADATA_BYTES} bytes as JSON"]
    return envelope, errors


def _strangers(data: dict[str, Any], kind: str | None) -> _Errors:
    """Return what to say about fields that no request, or none of this kind, has at its top."""
    rows = KINDS.values() if kind is None else (KINDS[kind],)
    known = {"payload", *_ENVELOPE_FIELDS}
    for row in rows:
        known |= row.fields.keys() | ({"scenes"} if row.compact else set())
    return flattened(unknown_fields(data, known))


def _account_faults(data: dict[str, Any], envelope: dict[str, Any], accounts: Collection[str]) -> _Errors:
    account = envelope.get("account")
    if account is None or account in accounts:
        return {}
    known = ", ".join(sorted(accounts)) or "none"
    said = f"unknown account{shown(account)}" if data.get("account") is not None else "is required"
    return {"account": [f"{said}; known: {known}"]}


def _body(kind: str | None, data: dict[str, Any]) -> tuple[dict[str, Any], _Errors]:
    if kind is None:
        return {}, {}
    try:
        body = load_body(kind, data)
    except RequestRefused as refused:
        return {}, refused.errors
    inner, outer = _inner_name(kind, data), data.get("name")
    if inner and outer is not None and inner != outer:
        return body, {"name": ["differs from payload.name: give it once"]}
    return body, {}


def _inner_name(kind: str, data: dict[str, Any]) -> str | None:
    payload = data.get("payload")
    name = payload.get("name") if KINDS[kind].named and isinstance(payload, dict) else None
    return name if isinstance(name, str) and name.strip() else None


def _default_name(kind: str, body: dict[str, Any]) -> str:
    source = body.get("project_id") or body.get("template_id")
    return f"{kind.replace('_', ' ').capitalize()} {source}" if source else "Untitled"
