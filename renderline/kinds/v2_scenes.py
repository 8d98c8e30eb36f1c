"""Scenes of the older v2 API: avatar and clips.

The checks are lenient where the vendor's own samples leave out what its tables require.
"""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validates_schema

from renderline.kinds.clips import AT_LEAST_0
from renderline.kinds.v3_fields import optional
from renderline.validation.fields import Integer, List, Nested, Number, Text
from renderline.validation.schemas import TypedObject, VendorSchema

AVATAR: Final = VendorSchema.from_dict(
    {
        "model": Text(required=True),
        "clothes": Text(required=True),
        "script": Text(required=True),
        "language": Text(**optional(blank=True)),  # required by the table, missing from most samples
        "scale": Number(**optional(validate=AT_LEAST_0)),
        "layer": Integer(**optional()),
        "locationX": Number(required=True),
        "locationY": Number(required=True),
    },
    name="V2Avatar",
)


DETAIL: Final[dict[str, fields.Field[Any]]] = {
    "scale": Number(**optional(validate=AT_LEAST_0)),
    "scaleX": Number(**optional()),
    "scaleY": Number(**optional()),
    "locationX": Number(**optional()),
    "locationY": Number(**optional()),
    "layer": Integer(**optional()),
    "textSource": Text(**optional(blank=True)),
    "font": Text(**optional(blank=True)),
}
"""The fields of a clip's `detail`, without its URL."""


def _clip(*, url: bool) -> Schema:
    place = Text(required=True) if url else Text(**optional(blank=True))
    detail = VendorSchema.from_dict({"url": place, **DETAIL}, name="V2Detail")
    return VendorSchema.from_dict(
        {"type": Text(required=True), "detail": Nested(detail, required=True)}, name="V2Clip"
    )()


_CLIPS: Final = {
    "image": _clip(url=True),
    "background": _clip(url=True),
    "text": _clip(url=False),  # the table requires a URL here too; no text sample has one
    "userVideo": _clip(url=True),  # in samples, not in the enum
}


class _V2Scene(VendorSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def shows_something(self, _data: Any, scene: Any, **_: Any) -> None:
        """Refuse a scene without avatar and clips; intro scenes have only clips."""
        if isinstance(scene, dict) and not scene.get("AIModel") and not scene.get("clips"):
            raise ValidationError({"AIModel": ["is required in a scene without clips"]})


SCENE: Final = _V2Scene.from_dict(
    {"AIModel": Nested(AVATAR, allow_none=True), "clips": List(TypedObject(_CLIPS), allow_none=True)}, name="V2Scene"
)
"""AI Studios v2 contract, scenes."""
