"""Kind `export`: an existing v3 project, rendered as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll, take_baseline
from renderline.kinds.v3_fields import EXPORT_OPTIONS, PROJECT_ID, WORKSPACE, VendorId
from renderline.validation.schemas import VendorSchema

BODY: Final = VendorSchema.from_dict({"projectId": VendorId(required=True), **EXPORT_OPTIONS}, name="Export")
"""AI Studios v3 contract, export project."""

_FIELDS: Final = frozenset({"projectId", "workspaceId", "resolution", "webhookUrl", "isExport"})


def _baseline(clients: AccountClients, context: CallContext) -> CallResult:
    # The export keeps the project's id (contract, export): after a lost response we look for it on this project.
    return CallResult(context.project(), take_baseline(clients, context))


def _matches(body: Mapping[str, Any]) -> bool:
    return "projectId" in body and body.keys() <= _FIELDS


_PLAN: Final = (Stage("baseline", _baseline, exports=True), EXPORT)

KIND: Final = Kind(
    name="export",
    matches=_matches,
    schema=BODY(),
    example={"project_id": "5e0d1706a0b1c2d3e4f50003", "resolution": "4k"},
    fields={"resolution": "resolution", **PROJECT_ID, **WORKSPACE},
    target=("project_id", "projectId"),
    target_in_body=True,
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
)
