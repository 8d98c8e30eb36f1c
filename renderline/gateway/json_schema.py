"""JSON Schema of the marshmallow schemas, including the fields that apispec cannot describe by itself."""

from __future__ import annotations

from typing import Any, Final

from apispec.ext.marshmallow import MarshmallowPlugin, OpenAPIConverter
from marshmallow import Schema, fields

from renderline.gateway import response_schemas
from renderline.validation.fields import ByJsonType
from renderline.validation.schemas import StrictSchema, TypedObject

NULL: Final = {"type": "null"}


class Converter(OpenAPIConverter):
    """Knows the fields of render requests; null is the same as leaving a field of ours out."""

    def init_attribute_functions(self) -> None:
        """Add the function for the fields with several forms."""
        super().init_attribute_functions()
        self.add_attribute_function(_forms)

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """Return the JSON Schema of a schema."""
        shown: dict[str, Any] = super().schema2jsonschema(schema)
        made = schema if isinstance(schema, type) else type(schema)
        if issubclass(made, StrictSchema):
            shown["properties"] = nullable(shown["properties"], keep=shown.get("required", ()))
        return shown


class _Plugin(MarshmallowPlugin):
    Converter = Converter


def plugin() -> MarshmallowPlugin:
    """Return the plugin that turns schemas into JSON Schema: components by name, all others in place."""
    return _Plugin(schema_name_resolver=_component_name)


def _component_name(schema: Any) -> str:
    made = schema if isinstance(schema, type) else type(schema)
    named = made.__module__ == response_schemas.__name__ or getattr(made, "component", False)
    return made.__name__ if named else ""


def nullable(properties: dict[str, Any], *, keep: Any = ()) -> dict[str, Any]:
    """Return the properties with null allowed, except for those in `keep`."""
    return {name: shape if name in keep else _or_null(shape) for name, shape in properties.items()}


def reference(name: str) -> dict[str, str]:
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


def _forms(converter: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Return the JSON Schema of a field with several forms, nothing for any other."""
    if isinstance(field, TypedObject):
        return {"oneOf": [_typed(converter, name, schema) for name, schema in field.schemas.items()]}
    if isinstance(field, ByJsonType):
        forms = [converter.field2property(each) for each in field.fields]
        return {"anyOf": [*forms, NULL] if field.allow_none else forms}
    return {}


def _typed(converter: OpenAPIConverter, name: str, schema: Schema) -> dict[str, Any]:
    shown = converter.schema2jsonschema(schema)
    properties = {**shown.get("properties", {}), "type": {"type": "string", "const": name}}
    return {**shown, "properties": properties, "required": sorted({*shown.get("required", ()), "type"})}
