"""How objects and lists are checked: nested parts, lists, objects told apart by `type`, and the two base schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, INCLUDE, Schema, ValidationError, fields, pre_load, validates_schema
from marshmallow.exceptions import SCHEMA

from .fields import WORDING, Choice
from .refusal import unknown_fields

MOST_WRONG: Final = 100
"""Wrong entries of one list that are described."""


class Part(fields.Nested):
    """An object that another schema describes."""

    default_error_messages = {**WORDING, "type": "must be an object"}  # noqa: RUF012  (marshmallow's own attribute)


class Many(fields.List[Any]):
    """A list of one kind of value, with at least `least` and at most `most` entries."""

    default_error_messages = {**WORDING, "invalid": "must be a list"}  # noqa: RUF012  (marshmallow's own attribute)

    def __init__(self, inner: fields.Field[Any], *, least: int = 0, most: int | None = None, **options: Any) -> None:
        """Take the field that each entry must fit, and how many entries there may be."""
        super().__init__(inner, **options)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if len(value) < self.least:
            raise ValidationError("must have at least one entry")
        if self.most is not None and len(value) > self.most:
            raise ValidationError(f"must have at most {self.most} entries")
        checked: list[Any] = []
        errors: dict[int | str, Any] = {}
        for at, each in enumerate(value):
            try:
                checked.append(self.inner.deserialize(each, **kwargs))
            except ValidationError as error:
                errors[at] = error.messages
                if len(errors) == MOST_WRONG:
                    # Describing an error is slow, and a body of 1 MB has room for 200,000 wrong entries.
                    errors[SCHEMA] = [f"has {MOST_WRONG} wrong entries up to here, the rest was not checked"]
                    break
        if errors:
            raise ValidationError(errors)
        return checked


class Variant(fields.Field[Any]):
    """An object whose `type` says which schema describes it."""

    default_error_messages = WORDING

    def __init__(self, schemas: Mapping[str, Schema], **options: Any) -> None:
        """Take the schema of each type."""
        super().__init__(**options)
        self.schemas = schemas
        self.type = Choice(schemas)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
        if value.get("type") is None:
            raise ValidationError({"type": ["is required"]})
        try:
            self.type.check(value["type"])
        except ValidationError as error:
            raise ValidationError({"type": error.messages}) from None
        return self.schemas[value["type"]].load(value, partial=kwargs.get("partial"))


class Vendor(Schema):
    """A body of the vendor's: fields it documents are checked, the dozens that it does not are kept as they are."""

    class Meta:
        """Unknown fields pass."""

        unknown = INCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012  (marshmallow's own attribute)


class Ours(Schema):
    """An object of our own request format: unknown fields are refused, null is the same as leaving a field out."""

    class Meta:
        """Unknown fields are left to `refuse_unknown`, which can say what was probably meant."""

        unknown = EXCLUDE

    error_messages = {"type": "must be an object"}  # noqa: RUF012  (marshmallow's own attribute)

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        """Take null for absent."""
        if isinstance(data, dict) and None in data.values():
            return {key: value for key, value in data.items() if value is not None}
        return data

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown(self, _data: Any, original: Any, **_: Any) -> None:
        """Raise ValidationError for every field that is not in the schema."""
        if isinstance(original, dict) and not self.fields.keys() >= original.keys():
            raise ValidationError(unknown_fields(original, self.fields.keys()))
