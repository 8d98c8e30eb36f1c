"""Kind `v2_project`: a project of the vendor's older v2 API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import scenes_api
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v2_calls import poll
from renderline.kinds.v2_scenes import SCENE
from renderline.validation.fields import List, Nested
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import Entries

BODY: Final = VendorSchema.from_dict(
    {"scenes": List(Nested(SCENE), required=True, validate=Entries(min=1))}, name="V2Project"
)
"""AI Studios v2 contract, create and export project."""


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v2().create_project(context.vendor_body()))


def _matches(body: Mapping[str, Any]) -> bool:
    return scenes_api(body) == "v2"


# The v2 API has no drafts, no project list and no project names.
_PLAN: Final = (Stage("create", _create, paid=True),)

KIND: Final = Kind(
    name="v2_project",
    matches=_matches,
    schema=BODY(),
    example={
        "scenes": [
            {
                "AIModel": {
                    "script": "Hi",
                    "model": "M000004017",
                    "clothes": "BG00006160",
                    "locationX": -0.28,
                    "locationY": 0.19,
                    "scale": 1,
                }
            }
        ]
    },
    fields={"scenes": "scenes"},
    webhook_field=None,
    defaults={},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=None,
    api="v2",
)
