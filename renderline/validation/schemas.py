"""The two base schemas, and objects whose `type` chooses their schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, pre_load

from renderline.validation.errors import unknown_fields
from renderline.validation.fields import Choice, JsonField
from renderline.validation.weight import Missing, WrongType


class VendorSchema(Schema):
    """A vendor body. Documented fields are checked, undocumented ones are kept."""

    class Meta:
        """Unknown fields pass."""

        unknown = INCLUDE

    error_messages = {"type": WrongType("must be an object")}  # noqa: RUF012  (marshmallow's own attribute)


class StrictSchema(Schema):
    """An object of our own request format. Unknown fields are refused; null is the same as leaving a field out."""

    class Meta:
        """Unknown fields are refused."""

        unknown = RAISE

    error_messages = {"type": WrongType("must be an object")}  # noqa: RUF012  (marshmallow's own attribute)

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        """Remove the known fields that are null."""
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None or key not in self.fields}
        return data

    def handle_error(self, error: ValidationError, data: Any, **_: Any) -> None:
        """Suggest a known field for each unknown one."""
        if isinstance(data, dict) and isinstance(error.messages, dict):
            error.messages.update(unknown_fields(data, self.fields.keys()))


class TypedObject(JsonField):
    """An object whose `type` chooses the schema."""

    default_error_messages = {"invalid": "must be an object"}  # noqa: RUF012  (marshmallow's own attribute)

    def __init__(self, schemas: Mapping[str, Schema], **options: Any) -> None:
        """Take the schema of each type."""
        super().__init__(**options)
        self.schemas = schemas
        self.type = Choice(schemas, required=True)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        chosen = value.get("type")
        schema = self.schemas.get(chosen) if isinstance(chosen, str) else None
        if schema is None:
            raise ValidationError({"type": [Missing("is required")] if chosen is None else self._type_error(chosen)})
        return schema.load(value, partial=kwargs.get("partial"))

    def _type_error(self, chosen: Any) -> Any:
        try:
            self.type.deserialize(chosen)
        except ValidationError as error:
            return error.messages
        raise LookupError(f"type {chosen!r} has no schema")
