"""Kind `edit`: an existing v3 project, changed and rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema

from renderline.accounts.clients import AccountClients
from renderline.kinds.body_traits import has_scenes, updates_apis
from renderline.kinds.clips import CONTENT, IDENTITY, PLACE, SPEECH
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.scenes import BACKGROUND
from renderline.kinds.v3_calls import BASELINE, EXPORT, get_project, poll
from renderline.kinds.v3_fields import PROJECT_ID, RENDER_OPTIONS, WORKSPACE, VendorId
from renderline.validation.fields import ByJsonType, Choice, Integer, List, Nested, Text
from renderline.validation.schemas import TypedObject, VendorSchema
from renderline.validation.validators import Entries, Range

_TYPES: Final = (*CONTENT, "background")


def _values(kind: str) -> Schema:
    """Return the schema of the values to overwrite in a `kind`: its own fields, all optional."""
    if kind == "background":
        return BACKGROUND(partial=True)
    content = {**IDENTITY, **PLACE, **CONTENT[kind]}
    if kind == "aiModel":
        # The samples send a plain string, the clip table describes an object.
        script = {str: Text(), dict: Nested(SPEECH)}
        content["script"] = ByJsonType(script, error="must be a string or an object", allow_none=True)
    return VendorSchema.from_dict(content, name=f"{kind}Values")(partial=True)


def _as_object(updates: Any) -> Any:
    return {"value": updates} if isinstance(updates, list) else updates


_UPDATES: Final[dict[str, Schema]] = {
    kind: VendorSchema.from_dict(
        {
            "sceneIdx": Integer(required=True, validate=Range(min=0)),
            "type": Choice(_TYPES, required=True),
            "values": Nested(_values(kind), required=True),
        },
        name=f"{kind}Update",
    )()
    for kind in _TYPES
}
_LIST: Final = List(TypedObject(_UPDATES), required=True, validate=Entries(min=1))
_OBJECT: Final = VendorSchema.from_dict({"value": _LIST}, name="Updates")

BODY: Final = VendorSchema.from_dict(
    {
        "projectId": VendorId(required=True),
        # The older samples send a bare list.
        "updates": ByJsonType(
            {list: _LIST, dict: Nested(_OBJECT)}, error="must be an object", required=True, post_load=_as_object
        ),
        **RENDER_OPTIONS,
    },
    name="Edit",
)
"""AI Studios v3 contract, edit and export. The id is part of the URL, not of the body."""


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    # A repeated edit starts from the named project, not from the copy that the first edit may have made.
    return CallResult(clients.use_v3().edit_project(context.named_project(), context.vendor_body(), export=False))


def _edit(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().edit_project(context.named_project(), context.vendor_body(), export=True))


def _matches(body: Mapping[str, Any]) -> bool:
    return "v3" in updates_apis(body) and not has_scenes(body)


KIND: Final = Kind(
    name="edit",
    matches=_matches,
    schema=BODY(),
    example={
        "project_id": "5e0d1706a0b1c2d3e4f50003",
        "updates": {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Good morning."}}]},
    },
    fields={"updates": "updates", "resolution": "resolution", **PROJECT_ID, **WORKSPACE},
    target=("project_id", "projectId"),
    two_phase=(Stage("draft", _draft), BASELINE, EXPORT),
    direct=(BASELINE, Stage("edit", _edit, paid=True)),
    poll=poll,
    inspect=get_project,
)
