"""Schemas of the v3 clips of a scene, with every documented enum and range."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields
from marshmallow.validate import Equal

from renderline.kinds.v3_fields import optional
from renderline.validation.fields import Boolean, ByJsonType, Choice, Integer, Nested, Number, Object, Sampled, Text
from renderline.validation.schemas import TypedObject, VendorSchema
from renderline.validation.validators import Range
from renderline.validation.weight import Guessed

SHAPES: Final = (
    *("Line_v2", "Arrow_1_v2", "Arrow_2_v2", "Circle", "Triangle", "Square", "Parallelogram", "Drop_1", "Polygon"),
    *("Pentagon", "Oval_1", "Oval_2", "Hexagon_1", "Hexagon_2", "Diamond", "Star", "Rectangle_corner0"),
)
ANIMATIONS: Final = (
    *("fade-in", "fade-out", "in-right", "in-down", "in-left", "in-up"),
    *("out-right", "out-down", "out-left", "out-up", "zoom-in", "zoom-out"),
)

SHADOW: Final = VendorSchema.from_dict(
    {
        "color": Text(**optional(blank=True)),
        "blur": Number(**optional(validate=Range(min=0, max=10))),
        "offsetX": Number(**optional(validate=Range(min=0.1, max=10))),
        "offsetY": Number(**optional(validate=Range(min=0.1, max=10))),
        "enabled": Boolean(**optional()),
    },
    name="Shadow",
)
ANIMATION: Final = VendorSchema.from_dict(
    {
        "type": Choice(ANIMATIONS, required=True),
        "duration": Integer(required=True, validate=Range(min=1, max=30)),
        "delay": Integer(required=True, validate=Range(min=0, max=30)),
    },
    name="Animation",
)
MODEL: Final = VendorSchema.from_dict({"ai_name": Text(required=True), "emotion": Text(required=True)}, name="Model")
SPEECH: Final = VendorSchema.from_dict(
    # Blank on a deleted avatar; the scene knows whether this avatar speaks.
    {"org": Text(required=True, blank=True), "tts": Object(**optional())},
    name="Speech",
)

AT_LEAST_0: Final = Guessed(Range(min=0))
"""No page says that a size may not be negative."""

IDENTITY: Final[dict[str, fields.Field[Any]]] = {
    "id": Text(required=True),
    "type": Text(required=True),
    "layer": Integer(required=True),
    "tag": Text(**optional(blank=True)),
    "scaleX": Number(**optional()),
    "scaleY": Number(**optional()),
}
PLACE: Final[dict[str, fields.Field[Any]]] = {
    "top": Number(required=True),
    "left": Number(required=True),
    "height": Number(required=True, validate=AT_LEAST_0),
    "width": Number(required=True, validate=AT_LEAST_0),
}
_PERCENT: Final = Integer(**optional(validate=Range(min=1, max=100)))
_OPACITY: Final = {"opacity": _PERCENT}
_VOLUME: Final = {"volume": _PERCENT}
_DRAWN: Final = {**_OPACITY, "angle": Number(**optional()), "animation": Nested(ANIMATION, allow_none=True)}

AI_MODEL: Final = {
    "model": Nested(MODEL, required=True),
    "script": Nested(SPEECH, allow_none=True),
    # In samples alone.
    "isDelete": Sampled(Boolean()),
    "voiceOnly": Sampled(Boolean()),
    "opacity": Sampled(_PERCENT),
}
SHAPE: Final = {
    "shapeName": Choice(SHAPES, required=True),
    "fill": Text(required=True, blank=True),
    "stroke": Text(**optional(blank=True)),
    "strokeWidth": Integer(**optional(validate=AT_LEAST_0)),
    "strokeRadius": Integer(**optional(validate=AT_LEAST_0)),
    "shadow": Nested(SHADOW, allow_none=True),
    **_DRAWN,
}
IMAGE: Final = {"source_url": Text(required=True), **_DRAWN}
# Documented as a whole number, with the empty string as its default.
_WHOLE: Final = Integer()
_FONT_WEIGHT: Final = ByJsonType(
    {int: _WHOLE, float: _WHOLE, str: Text(blank=True, validate=[Guessed(Equal("", error="must be a whole number"))])},
    error="must be a number or a string",
    allow_none=True,
)
TEXT_IMAGE: Final = {
    "text": Text(required=True, blank=True),
    "fill": Text(required=True, blank=True),
    # Documented as a whole number; the vendor's own arithmetic gives 7.5.
    "fontSize": Number(required=True, validate=Guessed(Range(min=1))),
    "fontFamily": Text(**optional(blank=True)),
    "fontWeight": _FONT_WEIGHT,
    "fontStyle": Text(**optional(blank=True)),
    "align": Text(**optional(blank=True)),
    "backgroundColor": Text(**optional(blank=True)),
    "stroke": Text(**optional(blank=True)),
    "strokeWidth": Integer(**optional(validate=AT_LEAST_0)),
    "underline": Boolean(**optional()),
    "shadow": Nested(SHADOW, allow_none=True),
    **_DRAWN,
}
VIDEO_IMAGE: Final = {
    "video_url": Text(required=True),
    "source_url": Sampled(Text(blank=True)),  # in samples alone: the poster image
    **_VOLUME,
    **_OPACITY,
}
AUDIO: Final = {"source_url": Text(required=True), "label": Text(required=True, blank=True), **_VOLUME}

CONTENT: Final[dict[str, dict[str, Any]]] = {
    "aiModel": AI_MODEL,
    "shape": SHAPE,
    "image": IMAGE,
    "textImage": TEXT_IMAGE,
    "videoImage": VIDEO_IMAGE,
    "audio": AUDIO,
}
"""The fields of each type of clip besides its identity and place (AI Studios v3 contract, clips)."""

# The tables require a place for sounds too, although they are invisible. Here it is optional.
_OPTIONAL_PLACE: Final[dict[str, fields.Field[Any]]] = {
    name: Number(**optional(validate=field.validators)) for name, field in PLACE.items()
}

CLIPS: Final[dict[str, Schema]] = {
    kind: VendorSchema.from_dict(
        {**IDENTITY, **(_OPTIONAL_PLACE if kind == "audio" else PLACE), **content}, name=kind
    )()
    for kind, content in CONTENT.items()
}
"""The schema of each type of clip."""


def clip(**options: Any) -> TypedObject:
    """Return the field for one clip of any type."""
    return TypedObject(CLIPS, **options)
