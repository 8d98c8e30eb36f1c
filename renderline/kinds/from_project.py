"""Kind `from_project`: a new v3 project made from one that the vendor's editor made, with parts of it replaced.

The named project is read when the render is submitted, and again with every repetition of the draft: what somebody has
changed in the editor since then is in the video. It is never changed itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.editor.carried import carried, carried_name
from renderline.kinds.editor.entries import REPLACE
from renderline.kinds.editor.replacing import replaced
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, RequestUnfit, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import NAME, PROJECT_ID, RENDER_OPTIONS, WORKSPACE, VendorId
from renderline.studio import ProjectMissing
from renderline.validation.schemas import StrictSchema

BODY: Final = StrictSchema.from_dict(
    {"projectId": VendorId(required=True), "replace": REPLACE, "name": NAME, **RENDER_OPTIONS}, name="FromProject"
)
"""Our own form: the vendor has no call for it (AI Studios v3 contract, calls by purpose: reuse a project)."""


def create_body(project: Mapping[str, Any], given: Mapping[str, Any], *, project_id: str) -> dict[str, Any]:
    """Return the body of the create call for a project that was read back, and for what the request gives.

    Raises RequestUnfit if an entry of `replace` does not fit the project.
    """
    scenes, problems = replaced(project, given.get("replace") or ())
    if problems:
        path, message = next(iter(problems.items()))
        others = "".join(f"; {path}: {message}" for path, message in list(problems.items())[1:])
        raise RequestUnfit(path, message + others)
    options = {field: value for field, value in given.items() if field != "replace"}
    name = _named(str(given.get("name") or ""), carried_name(project), project_id=project_id)
    return {**carried(project), "scenes": scenes, **options, "name": name}


def _named(name: str, carried: str | None, *, project_id: str) -> str:
    """Return the new project's name: the old one's with our tag, unless the request has a name."""
    unnamed = f"From project {project_id} "
    return f"{carried} {name.removeprefix(unnamed)}" if carried and name.startswith(unnamed) else name


def _read(clients: AccountClients, context: CallContext) -> dict[str, Any]:
    """Return the body of the create call, from the project as it is now."""
    wanted = context.named_project()
    try:
        project = clients.use_v3().read_project(wanted)
    except ProjectMissing as missing:
        raise RequestUnfit(
            "project_id", f"the vendor's account has no project '{wanted}', or no longer has it ({missing.message})"
        ) from None
    return create_body(project, context.vendor_body(), project_id=wanted)


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(clients.use_v3().create_project(_read(clients, context), export=False))


def _prepare(clients: AccountClients, context: CallContext) -> CallResult:
    # A stage of its own, so that a worker that dies while it reads leaves no paid call with an unknown outcome.
    context.prepared = _read(clients, context)
    return CallResult()


def _create(clients: AccountClients, context: CallContext) -> CallResult:
    body = context.prepared or _read(clients, context)
    return CallResult(clients.use_v3().create_project(body, export=True))


def _matches(body: Mapping[str, Any]) -> bool:
    return "projectId" in body and isinstance(body.get("replace"), list)


KIND: Final = Kind(
    name="from_project",
    matches=_matches,
    schema=BODY(),
    example={
        "project_id": "5e0d1706a0b1c2d3e4f50001",
        "name": "Cockatoos",
        "replace": [
            {"tag": "parrot-text", "text": "All about cockatoos"},
            {"scene": 0, "script": "Cockatoos live for seventy years."},
        ],
    },
    fields={"replace": "replace", "resolution": "resolution", **PROJECT_ID, **WORKSPACE},
    target=("project_id", "projectId"),
    takes_name=True,
    two_phase=(Stage("draft", _draft, findable=True), EXPORT),
    direct=(Stage("read", _prepare), Stage("create", _create, paid=True, findable=True)),
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
