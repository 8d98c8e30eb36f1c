"""Schemas of the compact form: scenes as a caller thinks of them, without ids, layers and pixels.

A project in the compact form has `orientation`, `resolution`, `workspace_id` and `scenes`. A scene has

* `script` (required): the words spoken; `tts`: the vendor's voice object, for a synthetic voice
* `avatar` (required): `model` and `clothes` (required), `language` ("en"), `position` ("left", "center", "right"),
  `scale` (1 is as large as the vendor's samples show it), `head_only` (false)
* `background`: exactly one of `image`, `color`, `video` (with `volume`); the vendor's blue gradient if left out
* `clips`: texts, images, shapes, videos and sounds, bottom first. Each has the vendor's own fields for its type; its
  id, layer and place are filled in. `position`, `scale`, `layer`, `left`, `top`, `width` and `height` choose the place.

Unlike in a vendor body, an unknown field is refused: here it can only be a typing error.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validates_schema

from renderline.kinds.clips import CONTENT
from renderline.kinds.v3_fields import ORIENTATIONS, Resolution
from renderline.validation.fields import Boolean, Choice, Integer, List, Nested, Number, Object, Text
from renderline.validation.schemas import StrictSchema, TypedObject
from renderline.validation.validators import Entries, Range

BACKGROUND_IMAGE: Final = "/images/background/bg_blue_gradient.png"
SIDES: Final = ("left", "center", "right")
POSITIONS: Final = (
    *("top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"),
)
MAX_SCENES: Final = 200
MAX_CLIPS: Final = 100


class _Background(StrictSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def one_source(self, _data: Any, background: Any, **_: Any) -> None:
        """Require exactly one of an image, a colour and a video."""
        if isinstance(background, dict):
            given = [kind for kind in ("image", "color", "video") if background.get(kind) is not None]
            if len(given) != 1:
                raise ValidationError("must have exactly one of image, color, video")


AVATAR: Final = StrictSchema.from_dict(
    {
        "model": Text(required=True),
        "clothes": Text(required=True),
        "language": Text(load_default="en"),
        "position": Choice(SIDES, load_default="center"),
        "scale": Number(load_default=1, validate=Range(min=0.1, max=5)),
        "head_only": Boolean(load_default=False),
    },
    name="CompactAvatar",
)
BACKGROUND: Final = _Background.from_dict(
    {"image": Text(), "color": Text(), "video": Text(), "volume": Integer(validate=Range(min=1, max=100))},
    name="CompactBackground",
)

_EVERY_CLIP: Final[dict[str, fields.Field[Any]]] = {"layer": Integer(), "tag": Text(blank=True)}
_PLACE: Final[dict[str, fields.Field[Any]]] = {
    "position": Choice(POSITIONS),
    "scale": Number(validate=Range(min=0.01, max=100)),
    "left": Number(),
    "top": Number(),
    "width": Number(validate=Range(min=1)),
    "height": Number(validate=Range(min=1)),
}


def _clip(kind: str, **replaced: fields.Field[Any]) -> Schema:
    place = {} if kind == "audio" else _PLACE
    # `text` and `video` become the vendor's names for them.
    return StrictSchema.from_dict(
        {"type": fields.Constant(kind), **_EVERY_CLIP, **place, **CONTENT[kind], **replaced}, name=kind
    )()


_TEXT: Final = _clip(
    "textImage",
    text=Text(required=True),
    fontSize=Number(load_default=48, validate=Range(min=1, max=1000)),
    fill=Text(load_default="#ffffff"),
)
_VIDEO: Final = _clip("videoImage")
_CLIPS: Final[dict[str, Schema]] = {
    "text": _TEXT,
    "textImage": _TEXT,
    "image": _clip("image"),
    "video": _VIDEO,
    "videoImage": _VIDEO,
    "shape": _clip("shape"),
    "audio": _clip("audio", label=Text()),
}

SCENE: Final = StrictSchema.from_dict(
    {
        "script": Text(required=True),
        "tts": Object(),
        "avatar": Nested(AVATAR, required=True),
        "background": Nested(BACKGROUND, load_default=lambda: {"image": BACKGROUND_IMAGE}),
        "clips": List(TypedObject(_CLIPS), validate=Entries(max=MAX_CLIPS), load_default=list),
    },
    name="CompactScene",
)
COMPACT: Final = StrictSchema.from_dict(
    {
        "orientation": Choice(ORIENTATIONS, load_default="landscape"),
        "resolution": Resolution(load_default="1080"),
        "workspaceId": Text(),
        "scenes": List(Nested(SCENE), required=True, validate=Entries(min=1, max=MAX_SCENES)),
    },
    name="CompactProject",
)
