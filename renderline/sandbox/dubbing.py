"""Dubbing (AI Studios v3 contract, translatevideos): one upload or URL, one video per target language."""

from typing import Any
from urllib.parse import urlsplit

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.charges import DUBBING as SORT
from renderline.sandbox.languages import DUBBING
from renderline.sandbox.magic import RENDERING
from renderline.sandbox.multipart import Form
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import BAD_BODY, NO_SUCH_PROJECT, Refusal, Response, success, success_list
from renderline.sandbox.v3_validation import refuse
from renderline.sandbox.validation import web_address

PATH = "/api/odin/v3/automation/translatevideos"
MAX_TARGETS = 10
MAX_SPEAKERS = 5
API = "dubbing"


def check_form(form: Form) -> list[str]:
    """Check a dubbing form; returns the target languages in their order; raises Refusal (400)."""
    fields, problems = form.fields(), []
    files = form.files("file")
    if not files and not fields.get("url"):
        problems.append("file: a file or a url is required")
    if len(files) > 1:
        problems.append(f"file: must be one file, not {len(files)}")
    problems += [f"file: {file.file_name!r} is empty" for file in files if not file.size]
    if fields.get("url") and web_address(fields["url"]):
        problems.append(f"url: {web_address(fields['url'])}")
    if fields.get("original", "auto") not in ("auto", *DUBBING):
        problems.append(f"original: {fields['original']!r} must be auto or one of {', '.join(DUBBING)}")
    speakers = fields.get("numberOfSpeakers", "auto")
    if speakers not in ("auto", *(str(number) for number in range(1, MAX_SPEAKERS + 1))):
        problems.append(f"numberOfSpeakers: {speakers!r} must be auto or 1 to {MAX_SPEAKERS}")
    for name in ("isDubbingOnly", "isRemoveBGM", "isCaptionFile"):
        if fields.get(name, "false").lower() not in ("true", "false"):
            problems.append(f"{name}: must be true or false")
    targets = _targets(form, problems)
    refuse(problems)
    return targets


def _targets(form: Form, problems: list[str]) -> list[str]:
    fields = form.fields()
    names = [name for name in fields if name.startswith("target_")]
    known = [f"target_{index}" for index in range(MAX_TARGETS)]
    problems += [f"{name}: must be target_0 to target_{MAX_TARGETS - 1}" for name in names if name not in known]
    targets = [fields[name] for name in known if name in fields]
    if not targets:
        problems.append("target_0: at least one target language is required")
    for name in known:
        if name in fields and fields[name] not in DUBBING:
            problems.append(f"{name}: {fields[name]!r} must be one of {', '.join(DUBBING)}")
        if form.files(f"targetSrt_{name[-1]}") and name not in fields:
            problems.append(f"targetSrt_{name[-1]}: there is no {name}")
    if len(set(targets)) < len(targets):
        problems.append("target_0: a target language must not be named twice")
    return targets


def row(backend: Backend, video: Project, now: float) -> dict[str, Any]:
    """One video of a folder as the vendor shows it; the last two fields only when it failed."""
    shown: dict[str, Any] = {"projectId": video.id, "name": video.name, "progress": video.progress_at(now)}
    url = backend.links.url(video, now)
    if url is not None:
        shown["download_url"] = url
    if video.error is not None:
        shown |= {"state": video.state, "error": {"code": video.error[0], "msg": video.error[1]}}
    return shown


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def dub(call: Call) -> Response:
        form = call.form()
        targets = check_form(form)
        backend.admit(call.account)
        source = _source(form)
        videos = []
        for language in targets:
            fields = {"name": f"{source} ({language})"}
            video = backend.create(call, api=API, body=b"{}", fields=fields, scene_count=1)
            video.language = language
            backend.start(video, call, sort=SORT, stages=RENDERING | {"dub", language})
            videos.append(video)
        folder = videos[0].id[:12] + videos[0].id[:11:-1]
        backend.folders[folder] = videos
        return success({"folderId": folder})

    def folder(call: Call) -> Response:
        folder_id = call.merged().get("folderId")
        videos = backend.folders.get(folder_id) if isinstance(folder_id, str) else None
        if not videos or videos[0].account.name != call.account:
            raise Refusal(NO_SUCH_PROJECT, "there is no such folder")
        seen = [video.as_of(call.seen_at) for video in videos]
        rows = [row(backend, video, call.seen_at) for video in seen if video is not None]
        return success_list(rows, "videos", named=backend.options.named_lists)

    return [
        Route("POST", PATH, dub, "v3", "body", ("create", "dub", "export", "upload")),
        Route("GET", PATH, folder, "v3", "folder", ("progress",)),
    ]


def _source(form: Form) -> str:
    """What is dubbed, for the names of its videos."""
    files = form.files("file")
    if files:
        return str(files[0].file_name)[:100]
    try:
        parts = urlsplit(form.fields()["url"])
    except ValueError:
        raise Refusal(BAD_BODY, "url: must be an http or https URL") from None
    return f"{parts.hostname}{parts.path}"[:100]
