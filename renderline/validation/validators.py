"""marshmallow's validators with our wording, in a form that apispec can describe."""

from __future__ import annotations

import re
from typing import Any, Final

from marshmallow import ValidationError, validate

from renderline.validation.errors import quoted


class Range(validate.Range):
    """A number within inclusive bounds."""

    message_min = "must be at least {{min}}"
    message_max = "must be at most {{max}}"
    message_all = "must be between {{min}} and {{max}}"


class MaxLength(validate.Length):
    """A string of at most `max` characters."""

    message_max = "must be at most {max} characters"

    def __init__(self, max: int) -> None:
        super().__init__(max=max)


class Entries(validate.Length):
    """A list with a minimum or maximum number of entries."""

    message_min = "must have at least one entry"
    message_max = "must have at most {max} entries"
    message_all = "must have {min} to {max} entries"


class NotBlank(validate.Length):
    """A string with at least one character that is not white space."""

    def __init__(self) -> None:
        super().__init__(min=1)

    def __call__(self, value: Any) -> Any:
        """Raise ValidationError if the value is empty or white space."""
        if not value.strip():
            raise ValidationError("may not be empty")
        return value


class Pattern(validate.Regexp):
    """A string that a regular expression matches as a whole; `validate.Regexp` accepts a line break after it."""

    def __init__(self, pattern: str, *, error: str) -> None:
        super().__init__(f"^(?:{pattern})$", error=error)

    def __call__(self, value: Any) -> Any:
        """Raise ValidationError if the pattern does not match the whole value."""
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self.error)
        return value


class OneOf(validate.OneOf):
    """One of a few strings. The message shows the given value only if it cannot be script text."""

    def _format_error(self, value: Any) -> str:
        given = quoted(value)
        return f"must be one of {self.choices_text}" + (f", not{given}" if given else "")


class WebAddress(validate.Validator):
    """An http or https URL; the host may be any."""

    def __call__(self, value: str) -> str:
        """Raise ValidationError if the value is none."""
        if not _WEB_ADDRESS.fullmatch(value):
            raise ValidationError("must be an http or https URL")
        return value


_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)

ONE_LINE: Final = Pattern(r"[^\x00-\x1f\x7f]*", error="may not contain control characters")
"""For names and other text on one line."""
