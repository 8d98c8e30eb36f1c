"""The schemas that check requests, as JSON Schema: what our own marshmallow fields stand for."""

from __future__ import annotations

from typing import Any, Final

from apispec.ext.marshmallow import OpenAPIConverter
from marshmallow import Schema, fields

from renderline.payloads import fields as checked
from renderline.payloads.clips import NumberOrText
from renderline.payloads.compact import Fixed
from renderline.payloads.edit import Spoken, Updates
from renderline.payloads.project import Rendered
from renderline.payloads.structure import Many, Ours, Variant

NULL: Final = {"type": "null"}
_IRREGULAR: Final[dict[type, dict[str, Any]]] = {
    Fixed: {"type": "string"},
    NumberOrText: {"type": ["number", "string"]},
    Updates: {"type": ["object", "array"]},
}


class Converter(OpenAPIConverter):
    """Knows the fields of render requests, and that our own objects have no unknown fields and take null for absent."""

    def init_attribute_functions(self) -> None:
        """Add the function for our fields, which come as they are: checked, not converted."""
        super().init_attribute_functions()
        self.add_attribute_function(_shape)

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return the JSON Schema of a schema."""
        shown: dict[str, Any] = super().schema2jsonschema(schema)
        made = schema if isinstance(schema, type) else type(schema)
        if issubclass(made, Ours):
            shown["additionalProperties"] = False
            shown["properties"] = nullable(shown["properties"], keep=shown.get("required", ()))
        return shown


def nullable(properties: dict[str, Any], *, keep: Any = ()) -> dict[str, Any]:
    """Return the properties with null allowed for each, those in `keep` aside."""
    return {name: shape if name in keep else _or_null(shape) for name, shape in properties.items()}


def ref(name: str) -> dict[str, str]:
    """Return the reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(shape: dict[str, Any]) -> dict[str, Any]:
    kind = shape.get("type")
    if not shape or kind == "null" or (isinstance(kind, list) and "null" in kind):
        return shape
    if isinstance(kind, str) and "const" not in shape:
        enum = {"enum": [*shape["enum"], None]} if "enum" in shape else {}
        return {**shape, "type": [kind, "null"], **enum}
    return {"anyOf": [shape, NULL]}


def _shape(converter: OpenAPIConverter, field: fields.Field[Any], *, ret: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Return the JSON Schema of a field, of which `ret` is what apispec knows by itself."""
    shape = {**ret, **_shape_of(converter, field)}
    ret.clear()
    if isinstance(field, Spoken):
        shape = {"anyOf": [shape, {"type": "string", "minLength": 1, "pattern": r"\S"}]}
    return _or_null(shape) if field.allow_none else shape


def _shape_of(converter: OpenAPIConverter, field: fields.Field[Any]) -> dict[str, Any]:
    if isinstance(field, checked.Number):
        kind = "integer" if isinstance(field, checked.Whole) else "number"
        return _given(type=kind, minimum=field.least, maximum=field.most)
    if isinstance(field, checked.Text):
        pattern = f"^(?:{field.pattern.pattern})$" if field.pattern else None if field.blank else r"\S"
        return _given(type="string", minLength=None if field.blank else 1, maxLength=field.longest, pattern=pattern)
    if isinstance(field, checked.Choice):
        return {"type": "string", "enum": list(field.choices)}
    if isinstance(field, Rendered):
        return {"type": "boolean", "enum": [True]}
    if isinstance(field, checked.Flag):
        return {"type": "boolean"}
    if isinstance(field, checked.Record):
        return {"type": "object"}
    if isinstance(field, Many):
        return _given(minItems=field.least or None, maxItems=field.most)
    if isinstance(field, Variant):
        return {"oneOf": [_variant(converter, name, schema) for name, schema in field.schemas.items()]}
    return next((shape for kind, shape in _IRREGULAR.items() if isinstance(field, kind)), {})


def _variant(converter: OpenAPIConverter, name: str, schema: Schema) -> dict[str, Any]:
    shown = converter.schema2jsonschema(schema)
    properties = {**shown.get("properties", {}), "type": {"type": "string", "const": name}}
    return {**shown, "properties": properties, "required": sorted({*shown.get("required", ()), "type"})}


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
