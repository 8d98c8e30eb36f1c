"""Kind `document_video`: a v3 project that the vendor generates from documents, exported once it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.automation_calls import EXPORT_FIELDS, generated, generation
from renderline.kinds.automation_options import options, sent_options
from renderline.kinds.files import FileReference
from renderline.kinds.kind import Kind
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import get_project, poll
from renderline.kinds.v3_fields import RENDER_OPTIONS, WORKSPACE
from renderline.studio import UploadedDocument
from renderline.validation.fields import ByJsonType, List, Nested, Text
from renderline.validation.schemas import VendorSchema
from renderline.validation.validators import Entries

ENDINGS: Final = ("txt", "pdf", "xls", "xlsx", "doc", "docs", "docx", "pptx", "ppt")
MOST_FILES: Final = 10
"""The vendor documents no limit."""

_DOCUMENT: Final = VendorSchema.from_dict(
    {"uri": Text(required=True), "fileName": Text(required=True)}, name="UploadedDocument"
)
_FILE: Final = ByJsonType(
    {str: FileReference(*ENDINGS), dict: Nested(_DOCUMENT)},
    error="must be a file, or the uri and fileName of a document that the vendor has",
)

BODY: Final = VendorSchema.from_dict(
    {
        "files": List(_FILE, required=True, validate=Entries(min=1, max=MOST_FILES)),
        "options": options(duration=False),
        **RENDER_OPTIONS,
    },
    name="DocumentVideo",
)
"""AI Studios v3 contract, docs to video. The options of the export are sent with that."""


def _upload(clients: AccountClients, context: CallContext) -> CallResult:
    files = context.body["payload"]["files"]
    uploads = {
        index: context.open_upload(file, endings=ENDINGS, path=f"files.{index}")
        for index, file in enumerate(files)
        if isinstance(file, str)
    }
    sent = clients.use_v3().upload_documents(list(uploads.values())) if uploads else []
    documents = dict(zip(uploads, ([one.uri, one.file_name] for one in sent), strict=True))
    known = {at: [file["uri"], file["fileName"]] for at, file in enumerate(files) if at not in uploads}
    return CallResult(data={"documents": [document for _, document in sorted({**documents, **known}.items())]})


def _generate(clients: AccountClients, context: CallContext) -> CallResult:
    documents = [UploadedDocument(uri, file_name) for uri, file_name in context.data["documents"]]
    chosen = sent_options(context.body["payload"])
    return CallResult(clients.use_v3().generate_from_documents(documents, chosen))


def _matches(body: Mapping[str, Any]) -> bool:
    files = body.get("files")
    return isinstance(files, list) and bool(files) and all(isinstance(one, dict) and "uri" in one for one in files)


_PLAN: Final = generated(Stage("upload", _upload, slow=True), generation(_generate))

KIND: Final = Kind(
    name="document_video",
    matches=_matches,
    schema=BODY(),
    example={
        "files": ["upload:2614759420056d3393f7a89e82d89a3742f10c5a2121f60f09049a47b1304e93/report.txt"],
        "options": {"language": "en", "media": "free"},
    },
    fields={"files": "files", "options": "options", "resolution": "resolution", **WORKSPACE},
    file_fields=("files",),
    export_fields=EXPORT_FIELDS,
    two_phase=_PLAN,
    direct=_PLAN,
    poll=poll,
    inspect=get_project,
)
