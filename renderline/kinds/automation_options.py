"""The options of a generated video, which the kinds that generate share, with every documented enum and range.

AI Studios v3 contract, automation: videos from a topic, a web page, a script or documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from renderline.kinds.v3_fields import optional
from renderline.validation.fields import Boolean, Choice, Nested, Number, Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import OneOf, Pattern, Range

DURATIONS: Final = (30, 60, 90, 120, 150, 180)
MEDIA: Final = ("search", "free", "premium", "generative")
STYLES: Final = (
    *("realistic", "digitalPainting", "sketch", "oilPainting", "pixelArt"),
    *("watercolor", "lowPoly", "cyberpunk", "fantasy", "anime"),
)
SCRIPT_OPTIONS: Final = ("ai", "original")

_LANGUAGE: Final = Pattern(
    r"[a-z]{2}", error="must be a language code of ISO 639-1: two small letters such as en, ko or ja"
)
_OPTIONS: Final[dict[str, fields.Field[Any]]] = {
    "language": Text(**optional(validate=[_LANGUAGE])),
    "duration": Number(**optional(validate=OneOf(DURATIONS))),
    "scriptOption": Choice(SCRIPT_OPTIONS, allow_none=True),
    "objective": Text(**optional(blank=True)),
    "audience": Text(**optional(blank=True)),
    "tone": Text(**optional(blank=True)),
    "speed": Number(**optional(validate=Range(min=0.5, max=1.5))),
    "media": Choice(MEDIA, allow_none=True),
    "useGenerativeHighQuality": Boolean(**optional()),
    "style": Choice(STYLES, allow_none=True),
    "templateId": Text(**optional()),
    "model": Text(**optional()),
    "voiceOnly": Boolean(**optional()),
}
_GENERATIVE: Final = ("useGenerativeHighQuality", "style")
"""The options that only generative media have. `false` and null ask for nothing."""


class _Options(VendorSchema):
    """The rules between options, and the names that are only spelled in another way."""

    absent: Mapping[str, str] = {}
    """The options that this kind does not have, and the error for each."""

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def check_together(self, _data: Any, given: Any, **_: Any) -> None:
        """Refuse options that do nothing with the others, and misspelled ones, which the vendor would overlook."""
        if not isinstance(given, dict):
            return
        errors = {name: [why] for name, why in self.absent.items() if given.get(name) is not None}
        for name in given.keys() - self.fields.keys() - errors.keys():
            meant = _BY_LETTERS.get(_letters(name))
            if meant in self.fields:
                errors[name] = [f"unknown field; did you mean '{meant}'?"]
        if given.get("media") != "generative":
            for name in _GENERATIVE:
                if given.get(name):
                    errors[name] = ["is possible with media 'generative' only"]
        if errors:
            raise ValidationError(errors)


def options(*, duration: bool = True, script_option: bool = False) -> Nested:
    """Return the field `options` of a kind; `duration` and `script_option` tell which options it has."""
    absent = {
        **({} if duration else {"duration": "is no option of this kind: the documents decide how long the video is"}),
        **({} if script_option else {"scriptOption": "is an option of kind script_video only"}),
    }
    known = {name: field for name, field in _OPTIONS.items() if name not in absent}
    name = "AutomationOptions"
    schema: Any = _Options.from_dict(known, name=name)
    return Nested(type(name, (schema,), {"absent": absent}), allow_none=True)


def sent_options(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a checked payload as they are sent: those with a value."""
    return {name: value for name, value in (payload.get("options") or {}).items() if value is not None}


def _letters(name: object) -> str:
    return "".join(letter for letter in str(name)[:64].lower() if letter.isalnum())


_BY_LETTERS: Final = {_letters(name): name for name in _OPTIONS}
