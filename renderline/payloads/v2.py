"""Schemas of the v2 body: lenient where the vendor's own samples leave out what its tables require."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, ValidationError, validates_schema

from .clips import optional
from .fields import Number, Text, Whole
from .structure import Many, Part, Variant, Vendor

AVATAR: Final = Vendor.from_dict(
    {
        "model": Text(required=True),
        "clothes": Text(required=True),
        "script": Text(required=True),
        "language": Text(**optional(blank=True)),  # required by the table, missing from most samples
        "scale": Number(**optional(least=0)),
        "layer": Whole(**optional()),
        "locationX": Number(required=True),
        "locationY": Number(required=True),
    },
    name="V2Avatar",
)


def _clip(*, url: bool) -> Schema:
    detail = Vendor.from_dict(
        {
            "url": Text(required=True) if url else Text(**optional(blank=True)),
            "scale": Number(**optional(least=0)),
            "scaleX": Number(**optional()),
            "scaleY": Number(**optional()),
            "locationX": Number(**optional()),
            "locationY": Number(**optional()),
            "layer": Whole(**optional()),
            "textSource": Text(**optional(blank=True)),
            "font": Text(**optional(blank=True)),
        },
        name="V2Detail",
    )
    return Vendor.from_dict({"type": Text(required=True), "detail": Part(detail, required=True)}, name="V2Clip")()


_CLIPS: Final = {
    "image": _clip(url=True),
    "background": _clip(url=True),
    "text": _clip(url=False),  # the table demands a URL here too; no text sample has one
    "userVideo": _clip(url=True),  # in samples, not in the enum
}


class _V2Scene(Vendor):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def shows_something(self, _data: Any, scene: Any, **_: Any) -> None:
        """Refuse a scene with neither an avatar nor clips; intro scenes have clips alone."""
        if isinstance(scene, dict) and not scene.get("AIModel") and not scene.get("clips"):
            raise ValidationError({"AIModel": ["is required in a scene without clips"]})


SCENE: Final = _V2Scene.from_dict(
    {"AIModel": Part(AVATAR, allow_none=True), "clips": Many(Variant(_CLIPS), allow_none=True)}, name="V2Scene"
)
PROJECT: Final = Vendor.from_dict({"scenes": Many(Part(SCENE), required=True, least=1)}, name="V2Project")
"""AI Studios v2 contract, create and export project."""
