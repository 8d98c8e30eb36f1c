"""Kind `v2_project`: a project of the vendor's older v2 API.

The checks are lenient where the vendor's own samples leave out what its tables require.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, validates_schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import scenes_api
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_fields import optional
from renderline.studio import Progress
from renderline.validation.fields import Integer, List, Nested, Number, Text
from renderline.validation.schemas import TypedObject, VendorSchema
from renderline.validation.validators import Entries, Range

AVATAR: Final = VendorSchema.from_dict(
    {
        "model": Text(required=True),
        "clothes": Text(required=True),
        "script": Text(required=True),
        "language": Text(**optional(blank=True)),  # required by the table, missing from most samples
        "scale": Number(**optional(validate=Range(min=0))),
        "layer": Integer(**optional()),
        "locationX": Number(required=True),
        "locationY": Number(required=True),
    },
    name="V2Avatar",
)


def _clip(*, url: bool) -> Schema:
    detail = VendorSchema.from_dict(
        {
            "url": Text(required=True) if url else Text(**optional(blank=True)),
            "scale": Number(**optional(validate=Range(min=0))),
            "scaleX": Number(**optional()),
            "scaleY": Number(**optional()),
            "locationX": Number(**optional()),
            "locationY": Number(**optional()),
            "layer": Integer(**optional()),
            "textSource": Text(**optional(blank=True)),
            "font": Text(**optional(blank=True)),
        },
        name="V2Detail",
    )
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
BODY: Final = VendorSchema.from_dict(
    {"scenes": List(Nested(SCENE), required=True, validate=Entries(min=1))}, name="V2Project"
)
"""AI Studios v2 contract, create and export project."""


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v2().create_project(context.vendor_body()))


def _poll(clients: AccountClients, key: str) -> Progress:
    return clients.use_v2().progress(key)


def _matches(body: Mapping[str, Any]) -> bool:
    return scenes_api(body) == "v2"


# The v2 API has no drafts, no project list and no project names.
_PLAN: Final = (Stage("create", _create, paid=True),)

KIND: Final = Kind(
    name="v2_project",
    matches=_matches,
    schema=BODY(),
    fields={"scenes": "scenes"},
    takes_webhook=False,
    defaults={},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=_poll,
    inspect=None,
    api="v2",
)
