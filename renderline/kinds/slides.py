"""Kind `slides`: a v3 project made of a deck, one scene for each slide, exported by a second call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.files import FileReference
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import EXPORT, get_project, poll
from renderline.kinds.v3_fields import NAME, RENDER_OPTIONS, WORKSPACE
from renderline.validation.schemas import VendorSchema

ENDINGS: Final = ("pdf", "pptx", "ppt")

BODY: Final = VendorSchema.from_dict(
    {
        "file": FileReference(*ENDINGS, required=True),
        "name": NAME,
        **RENDER_OPTIONS,  # but the workspace, sent with the export
    },
    name="Slides",
)
"""AI Studios v3 contract, create from slides. The call is a form; the file stands in it where the reference is here."""


def _draft(clients: AccountClients, context: CallContext) -> CallResult:
    body = context.vendor_body()
    upload = context.open_upload(body["file"], endings=ENDINGS)
    workspace = body.get("workspaceId") or None
    return CallResult(clients.use_v3().create_from_slides(upload, name=context.name, workspace_id=workspace))


def _matches(body: Mapping[str, Any]) -> bool:
    # The vendor's own form is no JSON.
    return False


_PLAN: Final = (Stage("draft", _draft, findable=True, slow=True), EXPORT)

KIND: Final = Kind(
    name="slides",
    matches=_matches,
    schema=BODY(),
    example={
        "file": "upload:1845df6b74f7a1087f0ff9ab5ce227c3227c4560cd7205b660a65ccf03e680bf/deck.pdf",
        "name": "Our year",
    },
    fields={"file": "file", "resolution": "resolution", **WORKSPACE},
    file_fields=("file",),
    takes_name=True,
    export_fields=frozenset({"resolution", "webhookUrl"}),
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
    owns_project=True,
)
