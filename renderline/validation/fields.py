"""marshmallow fields for JSON values that are checked but not converted: `1` stays `1`, and `1.0` stays `1.0`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields
from marshmallow.exceptions import SCHEMA
from marshmallow.types import Validator

from renderline.validation.validators import NotBlank, OneOf, Pattern
from renderline.validation.weight import Missing, WrongType, are_guesses, as_guesses, guesses_pass

MAX_ENTRY_ERRORS: Final = 100
"""The most wrong entries of one list that are described."""


class JsonField(fields.Field[Any]):
    """The base of the fields below: our wording, and one message per field."""

    default_error_messages = {  # noqa: RUF012  (marshmallow's own attribute)
        "required": "is required",
        "null": "may not be null",
        "validator_failed": "is wrong",
        "type": "must be an object",
    }

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        """Return the error of that name, with its weight."""
        weight = {"required": Missing, "null": WrongType, "type": WrongType, "invalid": WrongType}.get(key, str)
        return ValidationError(weight(super().make_error(key, **kwargs).messages[0]))

    def _validate(self, value: Any) -> None:
        # The first validator that fails is enough; marshmallow would run them all, and build a new list of them.
        for validator in self.validators:
            validator(value)


class Text(JsonField, fields.String):
    """A string, not blank unless `blank`."""

    default_error_messages = {"invalid": "must be a string"}  # noqa: RUF012

    def __init__(self, *, blank: bool = False, validate: Iterable[Validator] = (), **options: Any) -> None:
        given = list(validate)
        if not blank:
            given.insert(0, NotBlank())
            if not any(isinstance(each, Pattern) for each in given):
                options["metadata"] = {"pattern": r"\S", **options.get("metadata", {})}
        super().__init__(validate=given, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return value


class Identifier(Text):
    """An id that goes into a URL path: letters, digits, `-` and `_`."""

    def __init__(self, **options: Any) -> None:
        rule = Pattern(r"[A-Za-z0-9_-]{1,128}", error="must be 1 to 128 letters, digits, - or _")
        super().__init__(validate=[rule], **options)


class Number(JsonField, fields.Number[Any]):
    """A JSON number; an int stays an int and a float a float."""

    num_type: Any = float
    default_error_messages = {"invalid": "must be a number"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.make_error("invalid")
        return value

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        # apispec writes the bounds with it.
        return value


class Integer(Number, fields.Integer):
    """A JSON number without a fraction; `100.0` is one."""

    default_error_messages = {"fraction": "must be a whole number"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        number = super()._deserialize(value, attr, data, **kwargs)
        if isinstance(number, float) and not number.is_integer():
            raise self.make_error("fraction")
        return number


class Boolean(JsonField, fields.Boolean):
    """true or false."""

    default_error_messages = {"invalid": "must be true or false"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Choice(JsonField, fields.String):
    """One of a few strings; an error lists them in the order given."""

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.allowed = OneOf(tuple(choices))
        super().__init__(validate=self.allowed, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError(WrongType(self.allowed._format_error(value)))
        return value


class Sampled(JsonField):
    """A value that the vendor's samples alone show: one that is unlike theirs is a warning, and passes as it is."""

    def __init__(self, field: fields.Field[Any]) -> None:
        """Take the field for the values in the samples."""
        super().__init__(allow_none=True)
        self.field = field

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            if not guesses_pass():
                self.field.deserialize(value, **kwargs)
        except ValidationError as error:
            raise ValidationError(as_guesses(error.messages)) from None
        return value


class Object(JsonField, fields.Dict):
    """An object with any content."""

    default_error_messages = {"invalid": "must be an object"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        return value


class Nested(JsonField, fields.Nested):
    """An object that another schema describes."""


class List(JsonField, fields.List[Any]):
    """A list of one kind of value. At most `MAX_ENTRY_ERRORS` wrong entries are described."""

    default_error_messages = {"invalid": "must be a list"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        self._validate(value)  # before the entries: a list that is too long is not read
        checked: list[Any] = []
        errors: dict[int | str, Any] = {}
        wrong = 0
        for at, each in enumerate(value):
            try:
                checked.append(self.inner.deserialize(each, **kwargs))
            except ValidationError as error:
                errors[at] = error.messages
                wrong += not are_guesses(error.messages)
                if wrong == MAX_ENTRY_ERRORS:
                    # Describing an error is slow, and a body of 1 MB has room for 200,000 wrong entries.
                    errors[SCHEMA] = [f"has {MAX_ENTRY_ERRORS} wrong entries up to here, the rest was not checked"]
                    break
        if errors:
            raise ValidationError(errors)
        return checked


class ByJsonType(JsonField):
    """A value of one of several JSON types, each with a field of its own."""

    def __init__(self, by_type: Mapping[Any, fields.Field[Any]], *, error: str, **options: Any) -> None:
        """Take the field for each Python type that JSON decodes to, and the error for any other type."""
        super().__init__(error_messages={"invalid": error}, **options)
        self.by_type = by_type
        self.fields = list(dict.fromkeys(by_type.values()))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        field = self.by_type.get(type(value))
        if field is None:
            raise self.make_error("invalid")
        return field.deserialize(value, **kwargs)
