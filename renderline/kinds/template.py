"""Kind `template`: a new v3 project made from a template, exported by a second call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import has_scenes, has_updates
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import NAME, RENDER_OPTIONS, TEMPLATE_ID, WORKSPACE, optional
from renderline.validation.fields import Identifier, Text
from renderline.validation.schemas import VendorSchema

BODY: Final = VendorSchema.from_dict(
    {
        "templateId": Identifier(required=True),
        "aiName": Text(**optional(blank=True)),
        "clothId": Text(**optional(blank=True)),
        "name": NAME,
        **RENDER_OPTIONS,  # sent with the export
    },
    name="Template",
)
"""AI Studios v3 contract, create from template. The id is part of the URL, not of the body."""


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_from_template(context.named_template(), context.vendor_body()))


def _matches(body: Mapping[str, Any]) -> bool:
    return "templateId" in body and not has_scenes(body) and not has_updates(body)


_PLAN: Final = (Stage("draft", _draft, findable=True), EXPORT)

KIND: Final = Kind(
    name="template",
    matches=_matches,
    schema=BODY(),
    fields={"aiName": "aiName", "clothId": "clothId", "resolution": "resolution", **TEMPLATE_ID, **WORKSPACE},
    target=("template_id", "templateId"),
    takes_name=True,
    export_fields=frozenset({"resolution", "webhookUrl"}),
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
