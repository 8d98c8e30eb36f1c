"""Kind `v2_edit`: an existing project or template of the older v2 API, changed and rendered by one paid call.

The vendor documents neither a draft nor whether the answer names the same project or a copy: the key in the answer is
followed. What the named project shows before the call is the baseline, for a call whose answer is lost.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, validates_schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import has_scenes, updates_apis
from renderline.kinds.evidence import render_evidence
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, RequestUnfit, Stage
from renderline.kinds.v2_calls import poll
from renderline.kinds.v2_scenes import AVATAR, DETAIL
from renderline.kinds.v3_fields import PROJECT_ID, VendorId, optional
from renderline.studio import Progress, Project, ProjectMissing
from renderline.validation.fields import Choice, Integer, List, Nested, Object, Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import Entries, Range

_CLIP_VALUES: Final = VendorSchema.from_dict({"url": Text(**optional(blank=True)), **DETAIL}, name="V2ClipValues")
_VALUES: Final[dict[str, Schema]] = {"AIModel": AVATAR(partial=True), "clips": _CLIP_VALUES(partial=True)}


class _V2Update(VendorSchema):
    @validates_schema
    def values_fit_their_property(self, update: dict[str, Any], **_: Any) -> None:
        """Check the values as fields of the avatar or of a clip, all optional."""
        errors = _VALUES[update["property"]].validate(update["values"])
        if errors:
            raise ValidationError({"values": errors})


UPDATE: Final = _V2Update.from_dict(
    {
        "sceneIdx": Integer(required=True, validate=Range(min=0)),
        "property": Choice(tuple(_VALUES), required=True),
        "values": Object(required=True),
        # In samples only: which of the scene's clips is meant.
        "clipType": Text(**optional()),
        "clipIdx": Integer(**optional(validate=Range(min=0))),
    },
    name="V2Update",
)
BODY: Final = VendorSchema.from_dict(
    {
        "projectId": VendorId(required=True),
        "updates": List(Nested(UPDATE), required=True, validate=Entries(min=1)),
    },
    name="V2Edit",
)
"""AI Studios v2 contract, template export. The key is part of the URL, not of the body."""


def _inspect(clients: AccountClients, key: str) -> Project:
    """Return what the project's progress tells: v2 shows nothing else of a render."""
    seen = Progress(0.0)
    # A template that was never rendered has no progress.
    with contextlib.suppress(ProjectMissing):
        seen = clients.use_v2().progress(key)
    return Project(
        id=key,
        name=None,
        state=seen.state,
        progress=seen.progress,
        backend_task_id=None,
        credit_subtracted=False,
        download_url=seen.download_url,
        updated_at=None,
    )


def _baseline(clients: AccountClients, context: CallContext) -> CallResult:
    key = context.named_project()
    scenes = clients.use_v2().read_project(key)["scenes"]
    for index, update in enumerate(context.body["payload"]["updates"]):
        given = update.get("sceneIdx") if isinstance(update, dict) else None
        if isinstance(given, int) and given >= len(scenes):
            message = f"must be below {len(scenes)}, the number of scenes that project {key} has"
            raise RequestUnfit(f"updates.{index}.sceneIdx", message)
    return CallResult(key, json.dumps(render_evidence(_inspect(clients, key))))


def _edit(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v2().edit_template(context.named_project(), context.vendor_body()))


def _matches(body: Mapping[str, Any]) -> bool:
    return "v2" in updates_apis(body) and not has_scenes(body)


_PLAN: Final = (Stage("baseline", _baseline), Stage("edit", _edit, paid=True))

KIND: Final = Kind(
    name="v2_edit",
    matches=_matches,
    schema=BODY(),
    example={
        "project_id": "5e0d1706a0b1c2d3e4f50009",
        "updates": [{"sceneIdx": 0, "property": "AIModel", "values": {"script": "Good morning."}}],
    },
    fields={"updates": "updates", **PROJECT_ID},
    target=("project_id", "projectId"),
    webhook_field=None,
    defaults={},
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=_inspect,
    api="v2",
)
