"""Kind `project`: a new v3 project, from the compact form or a full vendor body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import scenes_api
from renderline.kinds.compact_layout import lay_out
from renderline.kinds.compact_scenes import COMPACT
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.scenes import SCENE
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import NAME, ORIENTATIONS, RENDER_OPTIONS, WORKSPACE, optional
from renderline.validation.fields import Choice, List, Nested, Object
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import Entries
from renderline.validation.weight import Firm

_SET_BY_THE_VENDOR: Final = (
    *("_id", "state", "download_url", "progress", "userId", "backendTaskId", "creditSubstracted", "exportType"),
    *("baseInfoId", "createdAt", "updatedAt"),
)
_LEAVE_OUT: Final = "is set by the vendor: leave it out; kind from_project makes a new project from one that was read"


class _Project(VendorSchema):
    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def was_not_read(self, _data: Any, project: Any, **_: Any) -> None:
        """Refuse what only a project that was read has; its `_id` always, for it names a project (v3 contract, get)."""
        if isinstance(project, dict) and (found := [name for name in _SET_BY_THE_VENDOR if name in project]):
            raise ValidationError({name: [Firm(_LEAVE_OUT) if name == "_id" else _LEAVE_OUT] for name in found})


BODY: Final = _Project.from_dict(
    {
        "name": NAME,
        "orientation": Choice(ORIENTATIONS, allow_none=True),
        "scenes": List(Nested(SCENE), required=True, validate=Entries(min=1)),
        "dictionary": Object(**optional()),
        **RENDER_OPTIONS,
    },
    name="Project",
)
"""AI Studios v3 contract, create project."""


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_project(context.vendor_body(), export=False))


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_project(context.vendor_body(), export=True))


def _matches(body: Mapping[str, Any]) -> bool:
    return scenes_api(body) == "v3"


KIND: Final = Kind(
    name="project",
    matches=_matches,
    schema=BODY(),
    example={
        "name": "Welcome",
        "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
    },
    fields={"orientation": "orientation", "resolution": "resolution", **WORKSPACE},
    takes_name=True,
    defaults={"orientation": "landscape", "resolution": "1080"},
    compact_schema=COMPACT(),
    lay_out=lay_out,
    two_phase=(Stage("draft", _draft, findable=True), EXPORT),
    direct=(Stage("create", _create, paid=True, findable=True),),
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
