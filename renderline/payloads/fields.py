"""marshmallow fields for JSON values that are checked but not converted: what goes in comes out untouched."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

from marshmallow import ValidationError, fields

from .refusal import shown

WORDING: Final[dict[str, Any]] = {"required": "is required", "null": "may not be null", "validator_failed": "is wrong"}
"""What every field says of a value that is missing or null."""


class Checked(fields.Field[Any]):
    """Any JSON value; the base of the fields below, with their wording."""

    default_error_messages = WORDING

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        self.check(value)
        return value

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is wrong."""


class Number(Checked):
    """A JSON number within `least` and `most`; an int stays an int and a float a float."""

    def __init__(self, *, least: float | None = None, most: float | None = None, **options: Any) -> None:
        """Take the inclusive bounds; None leaves that side open."""
        super().__init__(**options)
        self.least, self.most = least, most

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is no number or out of range."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("must be a number")
        if (self.least is None or value >= self.least) and (self.most is None or value <= self.most):
            return
        if self.least is None:
            raise ValidationError(f"must be at most {self.most}")
        if self.most is None:
            raise ValidationError(f"must be at least {self.least}")
        raise ValidationError(f"must be between {self.least} and {self.most}")


class Whole(Number):
    """A JSON number without a fraction, within bounds."""

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is no number, has a fraction or is out of range."""
        super().check(value)
        if isinstance(value, float) and not value.is_integer():
            raise ValidationError("must be a whole number")


class Text(Checked):
    """A string; not blank unless `blank`, at most `longest` characters, matching `pattern` (in words: `rule`)."""

    def __init__(
        self, *, blank: bool = False, longest: int | None = None, pattern: str = "", rule: str = "", **options: Any
    ) -> None:
        """Take the limits; none of them set means any string that is not blank."""
        super().__init__(**options)
        self.blank, self.longest, self.rule = blank, longest, rule
        self.pattern = re.compile(pattern) if pattern else None

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is no string or breaks a limit."""
        if not isinstance(value, str):
            raise ValidationError("must be a string")
        if not self.blank and not value.strip():
            raise ValidationError("may not be empty")
        if self.longest is not None and len(value) > self.longest:
            raise ValidationError(f"must be at most {self.longest} characters")
        if self.pattern and not self.pattern.fullmatch(value):
            raise ValidationError(self.rule)


class Identifier(Text):
    """An id that goes into a URL path: letters, digits, `-` and `_`."""

    def __init__(self, **options: Any) -> None:
        """Take the options of any field."""
        super().__init__(pattern=r"[A-Za-z0-9_-]{1,128}", rule="must be 1 to 128 letters, digits, - or _", **options)


class Flag(Checked):
    """true or false."""

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is neither true nor false."""
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")


class Choice(Checked):
    """One of a few strings."""

    def __init__(self, choices: Collection[str], **options: Any) -> None:
        """Take the strings allowed, in the order in which a refusal lists them."""
        super().__init__(**options)
        self.choices = tuple(choices)

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is none of the choices."""
        if not isinstance(value, str) or value not in self.choices:
            given = shown(value)
            raise ValidationError(f"must be one of {', '.join(self.choices)}" + (f", not{given}" if given else ""))


class Resolution(Choice):
    """The height of the video; a number such as 1080 is taken and becomes the string that the vendor wants."""

    def __init__(self, **options: Any) -> None:
        """Take the options of any field."""
        super().__init__(("4k", "1080", "720", "480"), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        return super()._deserialize(value, attr, data, **kwargs)


class Record(Checked):
    """An object whose content is not looked at."""

    def check(self, value: Any) -> None:
        """Raise ValidationError if `value` is no object."""
        if not isinstance(value, dict):
            raise ValidationError("must be an object")
