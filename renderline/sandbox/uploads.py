"""The v3 calls that take files: slides become a draft, documents a generated project (AI Studios v3 contract)."""

from typing import Any

from renderline.sandbox.automation import BASE as AUTOMATION
from renderline.sandbox.automation import OPTIONS, STANDARD_SCENES, check_generation, generated
from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import DEFAULT_LOOK, scene
from renderline.sandbox.file_types import DOCUMENTS, SLIDES, check_file
from renderline.sandbox.responses import BAD_BODY, Refusal, Response, dumps, success
from renderline.sandbox.v3_validation import refuse
from renderline.sandbox.validation import Table, filled, full_array, walk

STANDARD_SLIDES = 3
"""Scenes of a file whose slides cannot be counted as it passes by."""

MAX_SLIDES = 200
MAX_DOCUMENTS = 100_000

CREATE: Table = {"files": (full_array, True)}
FILE: Table = {"uri": (filled, True), "fileName": (filled, True)}


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def slides(call: Call) -> Response:
        form = call.form()
        files = form.files("file")
        if len(files) != 1:
            raise Refusal(BAD_BODY, f"file: must be one file, not {len(files)}")
        check_file(files[0], SLIDES)
        count = min(files[0].slides.count or STANDARD_SLIDES, MAX_SLIDES)
        file_name = files[0].file_name or ""
        look = {"model": DEFAULT_LOOK[0], "clothes": DEFAULT_LOOK[1]}
        words = [f"Slide {index + 1} of {file_name}." for index in range(count)]
        content = {
            "name": form.fields().get("name") or file_name.rpartition(".")[0],
            "orientation": "landscape",
            "scenes": [scene(index, spoken, **look, caption=None) for index, spoken in enumerate(words)],
        }
        made = backend.create(call, api="v3", body=dumps(content), fields=content, scene_count=count)
        return success({"projectId": made.id})

    def upload(call: Call) -> Response:
        files = call.form().files("files")
        if not files:
            raise Refusal(BAD_BODY, "files: at least one file is required")
        for file in files:
            check_file(file, DOCUMENTS)
        results = []
        for file in files:
            uri = f"documents/{len(backend.documents) + 1:06d}-{file.sha256[:32]}"
            while len(backend.documents) >= MAX_DOCUMENTS:
                del backend.documents[next(iter(backend.documents))]
            backend.documents[uri] = call.account
            results.append({"uri": uri, "fileName": file.file_name})
        return success({"uploadResults": results})

    def create(call: Call) -> Response:
        body: dict[str, Any] = call.body()
        options = check_generation(body, CREATE, OPTIONS)
        problems: list[str] = []
        for index, file in enumerate(body["files"]):
            path = f"files.{index}"
            if walk(file, FILE, path, problems) and backend.documents.get(str(file.get("uri"))) != call.account:
                problems.append(f"{path}.uri: no such document was uploaded")
        refuse(problems)
        subject = ", ".join(file["fileName"] for file in body["files"])
        project = generated(backend, call, subject=subject, options=options, scenes=STANDARD_SCENES)
        return success({"projectId": project.id})

    base = "/api/odin/v3"
    documents = f"{AUTOMATION}/docs-to-video"
    return [
        Route("POST", f"{base}/editor/project/pptpdf", slides, "v3", "body", ("create", "draft", "upload")),
        Route("POST", f"{documents}/upload-files", upload, "v3", None, ("upload",)),
        Route("POST", documents, create, "v3", "body", ("create", "generate")),
    ]
