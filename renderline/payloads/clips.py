"""Schemas of the vendor's clips: what stands in a scene, with every documented enum and range."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields

from .fields import Choice, Flag, Number, Record, Text, Whole
from .structure import Part, Variant, Vendor

SHAPES: Final = (
    *("Line_v2", "Arrow_1_v2", "Arrow_2_v2", "Circle", "Triangle", "Square", "Parallelogram", "Drop_1", "Polygon"),
    *("Pentagon", "Oval_1", "Oval_2", "Hexagon_1", "Hexagon_2", "Diamond", "Star", "Rectangle_corner0"),
)
ANIMATIONS: Final = (
    *("fade-in", "fade-out", "in-right", "in-down", "in-left", "in-up"),
    *("out-right", "out-down", "out-left", "out-up", "zoom-in", "zoom-out"),
)


class NumberOrText(fields.Field[Any]):
    """`fontWeight`: documented as a number, with the empty string as its default."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValidationError("must be a number or a string")
        return value


def optional(**options: Any) -> dict[str, Any]:
    """Return field options that take null for absent, as the vendor's own bodies do."""
    return {"allow_none": True, **options}


SHADOW: Final = Vendor.from_dict(
    {
        "color": Text(**optional(blank=True)),
        "blur": Number(**optional(least=0, most=10)),
        "offsetX": Number(**optional(least=0.1, most=10)),
        "offsetY": Number(**optional(least=0.1, most=10)),
        "enabled": Flag(**optional()),
    },
    name="Shadow",
)
ANIMATION: Final = Vendor.from_dict(
    {
        "type": Choice(ANIMATIONS, required=True),
        "duration": Whole(required=True, least=1, most=30),
        "delay": Whole(required=True, least=0, most=30),
    },
    name="Animation",
)
MODEL: Final = Vendor.from_dict({"ai_name": Text(required=True), "emotion": Text(required=True)}, name="Model")
SPEECH: Final = Vendor.from_dict(
    # Blank on a deleted avatar; the scene knows whether this avatar speaks.
    {"org": Text(required=True, blank=True), "tts": Record(**optional())},
    name="Speech",
)

IDENTITY: Final[dict[str, fields.Field[Any]]] = {
    "id": Text(required=True),
    "type": Text(required=True),
    "layer": Whole(required=True),
    "tag": Text(**optional(blank=True)),
    "scaleX": Number(**optional()),
    "scaleY": Number(**optional()),
}
PLACE: Final[dict[str, fields.Field[Any]]] = {
    "top": Number(required=True),
    "left": Number(required=True),
    "height": Number(required=True, least=0),
    "width": Number(required=True, least=0),
}
_OPACITY: Final = {"opacity": Whole(**optional(least=1, most=100))}
_VOLUME: Final = {"volume": Whole(**optional(least=1, most=100))}
_DRAWN: Final = {**_OPACITY, "angle": Number(**optional()), "animation": Part(ANIMATION, allow_none=True)}

AI_MODEL: Final = {
    "model": Part(MODEL, required=True),
    "script": Part(SPEECH, allow_none=True),
    "isDelete": Flag(**optional()),
    "voiceOnly": Flag(**optional()),
    **_OPACITY,
}
SHAPE: Final = {
    "shapeName": Choice(SHAPES, required=True),
    "fill": Text(required=True, blank=True),
    "stroke": Text(**optional(blank=True)),
    "strokeWidth": Number(**optional(least=0)),
    "strokeRadius": Number(**optional(least=0)),
    "shadow": Part(SHADOW, allow_none=True),
    **_DRAWN,
}
IMAGE: Final = {"source_url": Text(required=True), **_DRAWN}
TEXT_IMAGE: Final = {
    "text": Text(required=True, blank=True),
    "fill": Text(required=True, blank=True),
    "fontSize": Number(required=True, least=1),
    "fontFamily": Text(**optional(blank=True)),
    "fontWeight": NumberOrText(allow_none=True),
    "fontStyle": Text(**optional(blank=True)),
    "align": Text(**optional(blank=True)),
    "backgroundColor": Text(**optional(blank=True)),
    "stroke": Text(**optional(blank=True)),
    "strokeWidth": Number(**optional(least=0)),
    "underline": Flag(**optional()),
    "shadow": Part(SHADOW, allow_none=True),
    **_DRAWN,
}
VIDEO_IMAGE: Final = {
    "video_url": Text(required=True),
    "source_url": Text(**optional(blank=True)),  # seen in samples only: the poster image
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
"""What each type of clip has besides its identity and place (AI Studios v3 contract, clips)."""

# The tables demand a place for sound too, which no one can see: taken when given, not demanded.
_UNPLACED: Final[dict[str, fields.Field[Any]]] = {
    name: Number(**optional(least=0 if name in ("width", "height") else None)) for name in PLACE
}

CLIPS: Final[dict[str, Schema]] = {
    kind: Vendor.from_dict({**IDENTITY, **(_UNPLACED if kind == "audio" else PLACE), **content}, name=kind)()
    for kind, content in CONTENT.items()
}
"""The strict schema of each type of clip."""


def clip(**options: Any) -> Variant:
    """Return the field for one clip of any type."""
    return Variant(CLIPS, **options)
