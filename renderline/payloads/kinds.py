"""The table of request kinds: which schema checks each one's vendor body and how that body is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from marshmallow import Schema, ValidationError

from .compact import COMPACT
from .edit import EDIT
from .layout import lay_out
from .project import EXPORT, PROJECT
from .refusal import RequestRefused, flattened, joined
from .simple import SIMPLE_VIDEO
from .template import TEMPLATE
from .v2 import PROJECT as V2_PROJECT

if TYPE_CHECKING:
    from renderline.requests import RenderRequest

_WORKSPACE: Final = {"workspace_id": "workspaceId", "workspaceId": "workspaceId"}
_PROJECT_ID: Final = {"project_id": "projectId", "projectId": "projectId"}
_TEMPLATE_ID: Final = {"template_id": "templateId", "templateId": "templateId"}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of request: how its vendor body is checked and built."""

    schema: Schema
    """The strict schema of the vendor body."""
    fields: Mapping[str, str]
    """Fields that may stand at the top of the request instead of in `payload`, and the vendor's name for each."""
    address: tuple[str, str] | None = None
    """Our name and the vendor's for the id of what the call acts on; kept outside the body."""
    address_sent: bool = False
    """Whether that id is part of the body sent (else it stands in the URL)."""
    named: bool = False
    """Whether the call takes a `name`."""
    hooked: bool = True
    """Whether the call takes a `webhookUrl`."""
    unsent: frozenset[str] = frozenset()
    """Fields of the payload that are for a later call (the export) and not for this one."""
    defaults: Mapping[str, Any] = field(default_factory=lambda: {"resolution": "1080"})
    """What the vendor takes for a field left out; two requests that differ in nothing else mean the same."""
    compact: Schema | None = None
    """The schema of the short form, chosen by `scenes` at the top of the request."""
    lay_out: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    """Turns a body of the short form into the vendor's."""


KINDS: Final[Mapping[str, Kind]] = {
    "project": Kind(
        schema=PROJECT(),
        fields={"orientation": "orientation", "resolution": "resolution", **_WORKSPACE},
        named=True,
        defaults={"orientation": "landscape", "resolution": "1080"},
        compact=COMPACT(),
        lay_out=lay_out,
    ),
    "edit": Kind(
        schema=EDIT(),
        fields={"updates": "updates", "resolution": "resolution", **_PROJECT_ID, **_WORKSPACE},
        address=("project_id", "projectId"),
    ),
    "export": Kind(
        schema=EXPORT(),
        fields={"resolution": "resolution", **_PROJECT_ID, **_WORKSPACE},
        address=("project_id", "projectId"),
        address_sent=True,
    ),
    "template": Kind(
        schema=TEMPLATE(),
        fields={"aiName": "aiName", "clothId": "clothId", "resolution": "resolution", **_TEMPLATE_ID, **_WORKSPACE},
        address=("template_id", "templateId"),
        named=True,
        hooked=False,
        unsent=frozenset({"resolution", "webhookUrl"}),
    ),
    "simple_video": Kind(
        schema=SIMPLE_VIDEO(),
        fields={
            **{name: name for name in ("language", "text", "model", "clothes", "resolution")},
            **_WORKSPACE,
        },
    ),
    "v2_project": Kind(schema=V2_PROJECT(), fields={"scenes": "scenes"}, hooked=False, defaults={}),
}
"""Every kind of request there is; a further one is a further row."""


def load_body(kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the checked and normalised body of a `request` of this kind: what is left of it without its envelope.

    Raises RequestRefused with the path of every wrong field, as the caller wrote it.
    """
    row = KINDS[kind]
    compact = row.compact is not None and request.get("scenes") is not None
    payload = request.get("payload")
    if compact and payload is not None:
        raise RequestRefused({"payload": ["must be left out when scenes is given"]})
    if row.compact is not None and not compact and payload is None:
        raise RequestRefused({"scenes": ["is required, unless payload is given"]})
    if payload is not None and not isinstance(payload, dict):
        raise RequestRefused({"payload": ["must be an object"]})

    vendor, given_as, errors = _merged(row, request, payload or {})
    if compact:
        vendor["scenes"], given_as["scenes"] = request["scenes"], "scenes"
    schema = row.compact if compact and row.compact is not None else row.schema
    try:
        body: dict[str, Any] = schema.load(vendor)
    except ValidationError as error:
        preferred = {theirs: ours for ours, theirs in reversed(list(row.fields.items()))}
        for name, wrong in error.normalized_messages().items():
            path = given_as.get(name) or _path(name, preferred, payload)
            for at, said in flattened(wrong, path).items():
                errors.setdefault(at, []).extend(said)
    if errors:
        raise RequestRefused(errors)
    if compact:
        return body
    return _addressed(row, body)


def _merged(
    row: Kind, request: Mapping[str, Any], payload: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, str], dict[str, list[str]]]:
    """Return the payload with the fields from the top of the request, the caller's names for these, and conflicts."""
    vendor = dict(payload)
    given_as: dict[str, str] = {}
    errors: dict[str, list[str]] = {}
    for ours, theirs in row.fields.items():
        value = request.get(ours)
        if value is None:
            continue
        if vendor.get(theirs) is not None and str(vendor[theirs]) != str(value):
            errors[ours] = [f"differs from {given_as.get(theirs, f'payload.{theirs}')}: give it once"]
            continue
        vendor[theirs] = value
        given_as[theirs] = ours
    return vendor, given_as, errors


def _path(name: object, preferred: Mapping[str, str], payload: dict[str, Any] | None) -> str:
    """Return where the caller wrote the vendor's field `name`, or would best add it."""
    if isinstance(name, str) and name in preferred and (payload is None or name not in payload):
        return preferred[name] if payload is None or preferred[name] != name else f"payload.{name}"
    return joined("payload", name)


def _addressed(row: Kind, vendor: dict[str, Any]) -> dict[str, Any]:
    """Return the normal form of a vendor body: what is ours to decide is taken out of it."""
    vendor.pop("isExport", None)
    if row.named:
        vendor.pop("name", None)
    body: dict[str, Any] = {}
    if row.address is not None:
        body[row.address[0]] = vendor.pop(row.address[1])
    return {**body, "payload": vendor}


def with_defaults(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` with the vendor's defaults filled in, to compare what two requests mean."""
    if "payload" not in body:
        return dict(body)
    given = {name: value for name, value in body["payload"].items() if value is not None}
    return {**body, "payload": {**KINDS[kind].defaults, **given}}


def build(request: RenderRequest, *, name: str, webhook_url: str | None) -> dict[str, Any]:
    """Return the full body of the vendor call that starts `request`, without `isExport`, which the client adds.

    `name` is set where the call takes one; `webhook_url`, where it takes one, replaces the caller's own if given.
    Nested parts are shared with the request: treat them as read-only.
    """
    row = KINDS[request.kind]
    if "payload" in request.body:
        body = {field: value for field, value in request.body["payload"].items() if field not in row.unsent}
    else:
        assert row.lay_out is not None
        body = row.lay_out(request.body)
    if row.address is not None and row.address_sent:
        body[row.address[1]] = request.body[row.address[0]]
    if row.named:
        body["name"] = name
    if webhook_url is not None and row.hooked:
        body["webhookUrl"] = webhook_url
    return body
