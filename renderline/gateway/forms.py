"""The forms that a render request may have, one component of the API's description for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import OpenAPIConverter

from renderline.gateway import answers
from renderline.gateway.description import PROBLEM
from renderline.gateway.shapes import nullable, ref
from renderline.hooks import HookKind
from renderline.kinds import KINDS, Kind
from renderline.requests.loading import ENVELOPE

_MIXED = "Fields of `payload` may also stand at the top of the request, under these names; each is given once."


def add_requests(spec: Any, converter: OpenAPIConverter, hook_kinds: Mapping[str, HookKind]) -> None:
    """Add the components that describe a render request of each kind, and a batch of them."""
    spec.components.schema(PROBLEM, schema=answers.ProblemDocument)
    spec.components.schema("Hook", {"oneOf": [_hook(converter, kind) for kind in hook_kinds.values()]})
    mapping = {}
    for name, kind in KINDS.items():
        component = f"{name.title().replace('_', '')}Request"
        spec.components.schema(component, {"oneOf": _forms(converter, name, kind), "description": _MIXED})
        mapping[name] = f"#/components/schemas/{component}"
    one_of = [{"$ref": target} for target in mapping.values()]
    spec.components.schema(
        "RenderRequest", {"oneOf": one_of, "discriminator": {"propertyName": "kind", "mapping": mapping}}
    )
    key = {"type": ["string", "null"], "minLength": 1, "maxLength": 255}
    item = _object({"request": ref("RenderRequest"), "key": key}, ["request"])
    requests = {"type": "array", "items": item, "minItems": 1, "maxItems": 1000}
    batch = _object({"requests": requests, "all_or_nothing": {"type": "boolean", "default": False}}, ["requests"])
    spec.components.schema("BatchRequest", batch)


def _forms(converter: OpenAPIConverter, name: str, kind: Kind) -> list[dict[str, Any]]:
    """Return the two forms of a kind: everything at the top of the request, and everything in `payload`."""
    envelope = converter.schema2jsonschema(ENVELOPE)["properties"]
    envelope["kind"] = {"type": "string", "const": name}
    envelope["hooks"] = {**envelope["hooks"], "items": ref("Hook")}
    body = converter.schema2jsonschema(kind.schema)
    inner = {field: shape for field, shape in body["properties"].items() if field != "name"}
    payload = {**_object(inner, body.get("required", [])), "additionalProperties": True}
    # Where a field has two names at the top, the first is ours.
    names = {theirs: ours for ours, theirs in reversed(list(kind.fields.items()))}
    source, top = body, {ours: theirs for theirs, ours in names.items()}
    if kind.compact_schema is not None:
        source = converter.schema2jsonschema(kind.compact_schema)
        top = {**top, "scenes": "scenes"}
    needed = [ours for ours, theirs in top.items() if theirs in source.get("required", ())]
    given = nullable({ours: source["properties"][theirs] for ours, theirs in top.items()}, keep=needed)
    return [
        _object({**envelope, **given}, ["kind", *needed]),
        _object({**envelope, "payload": payload}, ["kind", "payload"]),
    ]


def _hook(converter: OpenAPIConverter, kind: HookKind) -> dict[str, Any]:
    shown = converter.schema2jsonschema(kind.schema)
    typed = {**shown["properties"], "type": {"type": "string", "const": kind.type}}
    return _object(typed, sorted({*shown.get("required", ()), "type"}))


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
