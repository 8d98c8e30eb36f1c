"""Kind `template`: a new v3 project made from a template, exported by a second call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, post_load, validates_schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import has_scenes, has_updates
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import NAME, RENDER_OPTIONS, TEMPLATE_ID, WORKSPACE, VendorId, optional
from renderline.validation.fields import Text
from renderline.validation.schemas import VendorSchema

_TABLE_NAMES: Final = {"model": "aiName", "clothes": "clothId"}
"""The vendor's samples name these fields in another way than its table. Both are taken, and the table's are sent."""


class _Template(VendorSchema):
    @validates_schema
    def given_once(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a field that its two names give different values."""
        pairs = [(sample, table) for sample, table in _TABLE_NAMES.items() if data.get(sample) and data.get(table)]
        wrong = {
            sample: [f"differs from {table}: give it once"] for sample, table in pairs if data[sample] != data[table]
        }
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def as_in_the_table(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the body with the names of the vendor's table."""
        for sample, table in _TABLE_NAMES.items():
            given = data.pop(sample, None)
            if given and not data.get(table):
                data[table] = given
        return data


BODY: Final = _Template.from_dict(
    {
        "templateId": VendorId(required=True),
        **{name: Text(**optional(blank=True)) for name in ("aiName", "clothId", "model", "clothes")},
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
    example={
        "template_id": "65fa6b07dca2e367461a2925",
        "name": "Monday",
        "aiName": "M000045058",
        "clothId": "BG00002320",
    },
    fields={
        "aiName": "aiName",
        "clothId": "clothId",
        **_TABLE_NAMES,
        "resolution": "resolution",
        **TEMPLATE_ID,
        **WORKSPACE,
    },
    target=("template_id", "templateId"),
    takes_name=True,
    export_fields=frozenset({"resolution", "webhookUrl"}),
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
