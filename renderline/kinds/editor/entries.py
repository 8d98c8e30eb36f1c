"""Schema of `replace`: what is changed in a project, each entry found by its tag or by its position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validates_schema

from renderline.kinds.clips import IDENTITY, PLACE, TEXT_IMAGE, VIDEO_IMAGE
from renderline.kinds.compact_scenes import BACKGROUND
from renderline.kinds.editor.replacing import POSITIONS
from renderline.validation.fields import Integer, List, Nested, Text
from renderline.validation.schemas import StrictSchema
from renderline.validation.validators import Entries, MaxLength, Range
from renderline.validation.weight import Firm, Guess

MAX_ENTRIES: Final = 1000

VALUES: Final = ("text", "image", "video", "audio", "avatar", "script", "background")
"""The fields of an entry that say what is put in; an entry has one of them."""


# The tutorial changes place and size together with the content, because the new content may have another shape.
_STYLE: Final[dict[str, fields.Field[Any]]] = {
    **{name: IDENTITY[name] for name in ("layer", "scaleX", "scaleY")},
    **PLACE,
    **{
        name: TEXT_IMAGE[name]
        for name in (
            *("fontSize", "fontFamily", "fontWeight", "fontStyle", "align", "underline", "fill", "backgroundColor"),
            *("stroke", "strokeWidth", "angle", "opacity"),
        )
    },
    "volume": VIDEO_IMAGE["volume"],
}
STYLE: Final = StrictSchema.from_dict(_STYLE, name="ReplaceSet")
AVATAR: Final = StrictSchema.from_dict(
    {"model": Text(required=True), "clothes": Text(required=True), "language": Text()}, name="ReplaceAvatar"
)


class _Replace(List):
    """The list of entries. It is our own form, so nothing but a guess about a style is ever passed on."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        try:
            return super()._deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            raise ValidationError(_firm(error.messages)) from None


def _firm(messages: Any) -> Any:
    if isinstance(messages, Mapping):
        return {key: _firm(inner) for key, inner in messages.items()}
    if isinstance(messages, list | tuple):
        return [_firm(inner) for inner in messages]
    return messages if isinstance(messages, Guess) else Firm(messages)


class _Entry(StrictSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def means_one_thing(self, _data: Any, entry: Any, **_: Any) -> None:
        """Refuse an entry that does not say where, or what, or that says either twice. `entry` may have any shape."""
        if isinstance(entry, dict):
            given = {name for name, value in entry.items() if value is not None}
            values = [name for name in VALUES if name in given]
            if len(values) > 1 or not (values or "set" in given):
                raise ValidationError(f"must have exactly one of {', '.join(VALUES)} (or set alone)")
            errors = _place_errors(given, values[0] if values else "set")
            if errors:
                raise ValidationError({name: [message] for name, message in errors.items()})


def _place_errors(given: set[str], value: str) -> dict[str, str]:
    """Return what is wrong with where an entry applies, by field."""
    errors: dict[str, str] = {}
    if value in ("script", "background"):
        errors = {name: f"must be left out with {value}" for name in ("clip", "set") if name in given}
    if value == "background" and "tag" in given:
        errors["tag"] = "must be left out with background: a scene has one, and it has no tag"
    elif "tag" in given and "clip" in given:
        errors["clip"] = "must be left out when tag is given"
    if value != "script" and "script_index" in given:
        errors["script_index"] = "must be left out: it is for script"
    if "scene" not in given and ("clip" in given or value == "background" or "tag" not in given):
        errors["scene"] = "is required" if value == "background" else "is required, unless tag is given"
    elif value == "set" and not given & {"tag", "clip"}:
        errors["clip"] = "is required, unless tag is given"
    return errors


ENTRY: Final = _Entry.from_dict(
    {
        "tag": Text(validate=[MaxLength(200)]),
        **{name: Integer(validate=Range(min=0)) for name in POSITIONS},
        "text": Text(blank=True),
        **{name: Text() for name in ("image", "video", "audio", "script")},
        "avatar": Nested(AVATAR),
        "background": Nested(BACKGROUND),
        "set": Nested(STYLE(partial=True)),
    },
    name="Replace",
)

REPLACE: Final = _Replace(Nested(ENTRY), validate=Entries(max=MAX_ENTRIES), allow_none=True)
