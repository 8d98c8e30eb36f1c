"""Projects that the v3 API generates from a topic, a page, a script or documents, and how far it is with them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import PayloadRefused
from renderline.studio.multipart import Form, Upload
from renderline.studio.progress import Progress, generation_v3
from renderline.studio.v3.calls import ROOT, V3Calls
from renderline.studio.values import Unreadable, first_text, rows

FROM_TOPIC = Endpoint("POST", f"{ROOT}/automation/topic_to_video", effect=True, slow=True)
FROM_URL = Endpoint("POST", f"{ROOT}/automation/url_to_video", effect=True, slow=True)
FROM_SCRIPTS = Endpoint("POST", f"{ROOT}/automation/scripts_to_video", effect=True, slow=True)
UPLOAD_DOCUMENTS = Endpoint("POST", f"{ROOT}/automation/docs-to-video/upload-files", effect=True, slow=True)
FROM_DOCUMENTS = Endpoint("POST", f"{ROOT}/automation/docs-to-video", effect=True, slow=True)
GENERATION_PROGRESS = Endpoint("GET", f"{ROOT}/automation/progress", of_project=True)

_GENERATORS = {"topic": FROM_TOPIC, "url": FROM_URL, "scripts": FROM_SCRIPTS}


@dataclass(frozen=True, slots=True)
class Generated:
    """A project that is being generated; nothing takes the job's id, and it may be missing."""

    project_id: str
    job_id: str | None = None


@dataclass(frozen=True, slots=True)
class UploadedDocument:
    """A document at the vendor, named as `generate_from_documents` takes it."""

    uri: str
    file_name: str


class AutomationCalls(V3Calls):
    """The calls that generate projects; none of them renders."""

    def generate(
        self, what: Literal["topic", "url", "scripts"], subject: str, options: Mapping[str, Any] | None = None
    ) -> Generated:
        """Have a project generated from a topic, a page's URL or a script (v3 contract, generated projects)."""
        endpoint = _GENERATORS[what]
        data = self._calls.call(endpoint, endpoint.path, {what: subject, "options": dict(options or {})}).get("data")
        return Generated(self._text(endpoint, data, "projectId"), first_text(data, "automationJobId"))

    def upload_documents(self, uploads: Sequence[Upload]) -> list[UploadedDocument]:
        """Send documents for `generate_from_documents`, in their order (v3 contract, docs to video).

        This costs nothing, but a lost answer leaves files at the vendor that nobody can name: OutcomeUnknown.
        """
        if not uploads:
            raise PayloadRefused("there is no document; nothing was sent", endpoint=str(UPLOAD_DOCUMENTS))
        form = Form(files=[("files", upload) for upload in uploads])
        answer = self._calls.call(UPLOAD_DOCUMENTS, UPLOAD_DOCUMENTS.path, form=form)
        documents = self._readable(UPLOAD_DOCUMENTS, answer, _documents)
        if len(documents) != len(uploads):
            message = f"the vendor names {len(documents)} of {len(uploads)} documents"
            raise UPLOAD_DOCUMENTS.unseen(message, status=200)
        return documents

    def generate_from_documents(
        self, documents: Sequence[UploadedDocument], options: Mapping[str, Any] | None = None
    ) -> str:
        """Have a project generated from uploaded documents; return its id (v3 contract, docs to video)."""
        files = [{"uri": one.uri, "fileName": one.file_name} for one in documents]
        return self._id(FROM_DOCUMENTS, FROM_DOCUMENTS.path, {"files": files, "options": dict(options or {})})

    def generation_progress(self, project_id: str) -> Progress:
        """Return how far a generated project is; raise ProjectMissing too (v3 contract, automation progress).

        It is finished exactly when the state is `finish` and the progress 100.
        """
        path = f"{GENERATION_PROGRESS.path}?{urlencode({'projectId': project_id})}"
        return self._read(GENERATION_PROGRESS, path, generation_v3)


def _documents(data: Any) -> list[UploadedDocument]:
    documents = []
    for row in rows(data):
        uri, name = first_text(row, "uri"), first_text(row, "fileName")
        if uri is None:
            raise Unreadable("an uploaded document has no uri")
        documents.append(UploadedDocument(uri, name or uri))
    return documents
