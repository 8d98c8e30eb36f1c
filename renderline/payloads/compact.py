"""Schemas of the compact form: scenes as a caller thinks of them, without ids, layers and pixels.

A project in the compact form is `orientation`, `resolution`, `workspace_id` and `scenes`; a scene is

* `script` (required): the words spoken; `tts`: the vendor's voice object, for a synthetic voice
* `avatar` (required): `model` and `clothes` (required), `language` ("en"), `position` ("left", "center", "right"),
  `scale` (1 is as large as the vendor's samples show it), `head_only` (false)
* `background`: exactly one of `image`, `color`, `video` (with `volume`); the vendor's blue gradient if left out
* `clips`: texts, images, shapes, videos and sounds, bottom first. Each has the vendor's own fields for its type; its
  id, layer and place are filled in. `position`, `scale`, `layer`, `left`, `top`, `width` and `height` choose the place.

Unlike in the vendor's bodies, an unknown field is refused: here it can only be a typing error.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validates_schema

from .clips import CONTENT
from .fields import Choice, Flag, Number, Record, Resolution, Text, Whole
from .project import ORIENTATIONS
from .structure import Many, Ours, Part, Variant

BACKGROUND_IMAGE: Final = "/images/background/bg_blue_gradient.png"
SIDES: Final = ("left", "center", "right")
POSITIONS: Final = (
    *("top-left", "top", "top-right", "left", "center", "right", "bottom-left", "bottom", "bottom-right"),
)
MOST_SCENES: Final = 200
MOST_CLIPS: Final = 100


class Fixed(fields.Field[Any]):
    """`type`, under the vendor's name for it whichever name was given."""

    def __init__(self, value: str) -> None:
        """Take the vendor's name."""
        super().__init__(load_default=value)
        self.value = value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return self.value


class _OneOf(Ours):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def one_kind(self, _data: Any, background: Any, **_: Any) -> None:
        """Refuse a background that is none, or several, of an image, a colour and a video."""
        if isinstance(background, dict):
            given = [kind for kind in ("image", "color", "video") if background.get(kind) is not None]
            if len(given) != 1:
                raise ValidationError("must have exactly one of image, color, video")


AVATAR: Final = Ours.from_dict(
    {
        "model": Text(required=True),
        "clothes": Text(required=True),
        "language": Text(load_default="en"),
        "position": Choice(SIDES, load_default="center"),
        "scale": Number(least=0.1, most=5, load_default=1),
        "head_only": Flag(load_default=False),
    },
    name="CompactAvatar",
)
BACKGROUND: Final = _OneOf.from_dict(
    {"image": Text(), "color": Text(), "video": Text(), "volume": Whole(least=1, most=100)}, name="CompactBackground"
)

_EVERY_CLIP: Final[dict[str, fields.Field[Any]]] = {"layer": Whole(), "tag": Text(blank=True)}
_PLACE: Final[dict[str, fields.Field[Any]]] = {
    "position": Choice(POSITIONS),
    "scale": Number(least=0.01, most=100),
    "left": Number(),
    "top": Number(),
    "width": Number(least=1),
    "height": Number(least=1),
}


def _clip(kind: str, **replaced: fields.Field[Any]) -> Schema:
    place = {} if kind == "audio" else _PLACE
    return Ours.from_dict({"type": Fixed(kind), **_EVERY_CLIP, **place, **CONTENT[kind], **replaced}, name=kind)()


_TEXT: Final = _clip(
    "textImage",
    text=Text(required=True),
    fontSize=Number(least=1, most=1000, load_default=48),
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

SCENE: Final = Ours.from_dict(
    {
        "script": Text(required=True),
        "tts": Record(),
        "avatar": Part(AVATAR, required=True),
        "background": Part(BACKGROUND, load_default=lambda: {"image": BACKGROUND_IMAGE}),
        "clips": Many(Variant(_CLIPS), most=MOST_CLIPS, load_default=list),
    },
    name="CompactScene",
)
COMPACT: Final = Ours.from_dict(
    {
        "orientation": Choice(ORIENTATIONS, load_default="landscape"),
        "resolution": Resolution(load_default="1080"),
        "workspaceId": Text(),
        "scenes": Many(Part(SCENE), required=True, least=1, most=MOST_SCENES),
    },
    name="CompactProject",
)
