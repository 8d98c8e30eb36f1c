"""The OpenAPI components of render requests: one for each kind, and their union."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import OpenAPIConverter
from apispec.ext.marshmallow.common import make_schema_key

from renderline.gateway.json_schema import nullable, reference
from renderline.gateway.request_schemas import RenderRequest
from renderline.hooks import HookKind
from renderline.kinds import KINDS, Kind
from renderline.requests.loading import ENVELOPE

_TWO_PLACES = "Fields of `payload` may also stand at the top of the request, under these names; each is given once."


def add_request_components(spec: Any, converter: OpenAPIConverter, hook_kinds: Mapping[str, HookKind]) -> None:
    """Add the components, and have RenderRequest refer to them."""
    spec.components.schema("Hook", {"oneOf": [_hook(converter, kind) for kind in hook_kinds.values()]})
    mapping = {}
    for name, kind in KINDS.items():
        component = f"{name.title().replace('_', '')}Request"
        described = {"oneOf": _variants(converter, name, kind), "description": _TWO_PLACES}
        spec.components.schema(component, {**described, "examples": [request_of(name, kind)]})
        mapping[name] = f"#/components/schemas/{component}"
    one_of = [{"$ref": target} for target in mapping.values()]
    discriminator = {"propertyName": "kind", "mapping": mapping}
    spec.components.schema(RenderRequest.__name__, {"oneOf": one_of, "discriminator": discriminator})
    # Routes and the batch name the schema, which checks nothing by itself.
    converter.refs[make_schema_key(RenderRequest())] = RenderRequest.__name__


def example_requests() -> dict[str, Any]:
    """Return a complete request of each kind, as the examples of a route that takes one."""
    return {name: {"summary": name, "value": request_of(name, kind)} for name, kind in KINDS.items()}


def request_of(name: str, kind: Kind) -> dict[str, Any]:
    """Return the kind's example as a request."""
    return {"kind": name, **kind.example}


def _variants(converter: OpenAPIConverter, name: str, kind: Kind) -> list[dict[str, Any]]:
    """Return the two variants of a kind: every field at the top of the request, or the vendor's in `payload`."""
    envelope = converter.schema2jsonschema(ENVELOPE)["properties"]
    envelope["kind"] = {"type": "string", "const": name}
    envelope["hooks"] = {**envelope["hooks"], "items": reference("Hook")}
    body = converter.schema2jsonschema(kind.schema)
    inner = {field: shape for field, shape in body["properties"].items() if field != "name"}
    payload = {**_object(inner, body.get("required", [])), "additionalProperties": True}
    # If a field has two names at the top, the first is ours.
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
    described = _object(typed, sorted({*shown.get("required", ()), "type"}))
    one_of = [{"required": [field]} for field in getattr(kind.schema, "one_of", ())]
    return {**described, "oneOf": one_of} if one_of else described


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
