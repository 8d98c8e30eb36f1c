"""The body of a request, without its envelope: checked and normalised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from marshmallow import ValidationError

from renderline.kinds.kind import Kind
from renderline.validation.errors import RequestRefused, flattened, join_path

_SOURCES: Final[tuple[tuple[Literal["project", "template"], str, str], ...]] = (
    ("project", "project_id", "projectId"),
    ("template", "template_id", "templateId"),
)


def load_body(kind: Kind, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked and normalised body of a `request` of this kind.

    Raises RequestRefused with the path of every wrong field, as the caller wrote it.
    """
    compact = kind.compact_schema is not None and request.get("scenes") is not None
    payload = request.get("payload")
    if compact and payload is not None:
        raise RequestRefused({"payload": ["must be left out when scenes is given"]})
    if kind.compact_schema is not None and not compact and payload is None:
        raise RequestRefused({"scenes": ["is required, unless payload is given"]})
    if payload is not None and not isinstance(payload, dict):
        raise RequestRefused({"payload": ["must be an object"]})

    merged, given_as, errors = _merge(kind, request, payload or {})
    if compact:
        merged["scenes"], given_as["scenes"] = request["scenes"], "scenes"
    schema = kind.compact_schema if compact and kind.compact_schema is not None else kind.schema
    try:
        body: dict[str, Any] = schema.load(merged)
    except ValidationError as error:
        preferred = {theirs: ours for ours, theirs in reversed(list(kind.fields.items()))}
        for name, messages in error.normalized_messages().items():
            path = given_as.get(name) or _path(name, preferred, payload)
            for wrong, texts in flattened(messages, path).items():
                errors.setdefault(wrong, []).extend(texts)
    if errors:
        raise RequestRefused(errors)
    return body if compact else _normalised(kind, body)


class Source(NamedTuple):
    """A project or template of the vendor that a request names, and the path of its id."""

    what: Literal["project", "template"]
    id: str
    path: str


def named_sources(kind: Kind, request: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Source]:
    """Yield what a `request` with this checked `body` names: the target of its kind, and ids among the fields of the
    payload that its kind does not know, and that are passed on.
    """
    payload = body.get("payload", {})
    for what, ours, theirs in _SOURCES:
        target = kind.target == (ours, theirs)
        found = body.get(ours) if target else payload.get(theirs)
        if found is not None:
            given = [name for name in (ours, theirs) if target and request.get(name) is not None]
            yield Source(what, str(found), given[0] if given else f"payload.{theirs}")


def _merge(
    kind: Kind, request: Mapping[str, Any], payload: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str], dict[str, list[str]]]:
    """Return the payload with the fields from the top of the request, the caller's names for these, and conflicts."""
    merged = dict(payload)
    given_as: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for ours, theirs in kind.fields.items():
        value = request.get(ours)
        if value is None:
            continue
        if merged.get(theirs) is not None and str(merged[theirs]) != str(value):
            errors[ours] = [f"differs from {given_as.get(theirs, f'payload.{theirs}')}: give it once"]
            continue
        merged[theirs] = value
        given_as[theirs] = ours
    return merged, given_as, errors


def _path(name: object, preferred: Mapping[str, str], payload: dict[str, Any] | None) -> str:
    """Return the path at which the caller wrote the vendor's field `name`, or should add it."""
    if isinstance(name, str) and name in preferred and (payload is None or name not in payload):
        return preferred[name] if payload is None or preferred[name] != name else f"payload.{name}"
    return join_path("payload", name)


def _normalised(kind: Kind, vendor: dict[str, Any]) -> dict[str, Any]:
    """Return the body without the fields that Renderline sets: `isExport`, the name, and the id of the project."""
    vendor.pop("isExport", None)
    if kind.takes_name:
        vendor.pop("name", None)
    body: dict[str, Any] = {}
    if kind.target is not None:
        body[kind.target[0]] = vendor.pop(kind.target[1])
    return {**body, "payload": vendor}
