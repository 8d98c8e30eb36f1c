"""The body of a request, without its envelope: checked and normalised."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from marshmallow import Schema, ValidationError

from renderline.kinds.kind import EXPORT, Kind
from renderline.kinds.v3_fields import Resolution
from renderline.validation.errors import RequestRefused, flattened, join_path
from renderline.validation.fields import ByJsonType, List, Nested
from renderline.validation.weight import Firm, Guess, Missing, WrongType, passing_guesses

_SOURCES: Final[tuple[tuple[Literal["project", "template"], str, str], ...]] = (
    ("project", "project_id", "projectId"),
    ("template", "template_id", "templateId"),
    ("project", "project_id", "_id"),
)


_Found = dict[str, list[str]]


def load_body(kind: Kind, request: Mapping[str, Any], *, lenient: bool = False) -> tuple[dict[str, Any], _Found]:
    """Return the checked and normalised body of a `request` of this kind, and its warnings by path.

    `lenient`: what the vendor's pages forbid is a warning too; what Renderline relies on is refused all the same.
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
    draft = _is_draft(kind, request, payload or {}, errors)
    if compact:
        merged["scenes"], given_as["scenes"] = request["scenes"], "scenes"
    schema = kind.compact_schema if compact and kind.compact_schema is not None else kind.schema
    warnings: _Found = {}
    try:
        body: dict[str, Any] = schema.load(merged)
    except ValidationError as error:
        preferred = {theirs: ours for ours, theirs in reversed(list(kind.fields.items()))}
        found = error.normalized_messages()
        for name, messages in found.items():
            path = given_as.get(name) or _path(name, preferred, payload)
            for wrong, texts in flattened(messages, path).items():
                below = wrong.count(".") - path.count(".")
                for text in texts:
                    # The compact form is ours: only a guess is passed on.
                    passes = _passes(kind, name, below, text, lenient=lenient and not compact)
                    (warnings if passes else errors).setdefault(wrong, []).append(text)
        if not errors:
            body = _as_given(schema, merged, found)
    if errors:
        raise RequestRefused(errors)
    body = body if compact else _normalised(kind, body)
    return {**body, EXPORT: False} if draft else body, warnings


def _passes(kind: Kind, name: str, below: int, text: str, *, lenient: bool) -> bool:
    """Return whether a value is passed on in spite of the message `text`, `below` levels under the field `name`."""
    if isinstance(text, Guess):
        return True
    relied_on = {*kind.file_fields, *(kind.target[1:] if kind.target else ())}
    if not lenient or isinstance(text, Firm) or name in relied_on:
        return False
    if isinstance(text, Missing):
        return below > 0 or not isinstance(kind.schema.fields.get(name), List | ByJsonType | Nested)
    # Renderline relies on the JSON types of the fields and of their entries, and on none below.
    return not isinstance(text, WrongType) or below > 1


def _as_given(schema: Schema, given: Mapping[str, Any], wrong: Collection[str]) -> dict[str, Any]:
    """Return the body as the schema loads it; fields that are `wrong`, by more than a guess, as they were given."""
    with contextlib.suppress(ValidationError), passing_guesses():
        loaded: dict[str, Any] = schema.load(given)
        return loaded
    body: dict[str, Any] = schema.load({name: given[name] for name in given if name not in wrong}, partial=True)
    for name in [name for name in given if name in wrong]:
        value = given[name]
        field = schema.fields.get(name)
        for convert in field.post_load if field else ():
            value = convert(value)
        body[name] = str(value) if isinstance(field, Resolution) and isinstance(value, int) else value
    return body


class Source(NamedTuple):
    """A project or template of the vendor that a request names, and the path of its id."""

    what: Literal["project", "template"]
    id: str
    path: str


def named_sources(kind: Kind, request: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[Source]:
    """Yield what a `request` with this checked `body` names: the target of its kind, the template of a generated video,
    and ids among the fields of the payload that its kind does not know, and that are passed on.
    """
    payload = body.get("payload", {})
    for what, ours, theirs in _SOURCES:
        target = kind.target == (ours, theirs)
        found = body.get(ours) if target else payload.get(theirs)
        if found is not None:
            given = [name for name in (ours, theirs) if target and request.get(name) is not None]
            yield Source(what, str(found), given[0] if given else f"payload.{theirs}")
    options = payload.get("options")
    if isinstance(options, Mapping) and options.get("templateId"):
        above = "" if request.get("options") is not None else "payload."
        yield Source("template", str(options["templateId"]), f"{above}options.templateId")


def _is_draft(kind: Kind, request: Mapping[str, Any], payload: Mapping[str, Any], errors: dict[str, list[str]]) -> bool:
    """Return whether the request wants a draft alone: `export`, or `isExport` in its payload, is false."""
    given = {EXPORT: request.get(EXPORT), "payload.isExport": payload.get("isExport")}
    said = {path: value for path, value in given.items() if isinstance(value, bool)}
    if len(set(said.values())) > 1:
        errors[EXPORT] = ["differs from payload.isExport: give it once"]
    drafts = [path for path, value in said.items() if not value]
    if drafts and not kind.leaves_draft:
        errors[drafts[0]] = [f"must be true or left out: a render of kind {kind.name} has no draft"]
    return bool(drafts)


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
