"""Answers of the v2 calls: the vendor's tables name other places than its samples read, so both are served."""

from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import Response, plain

FORMS = ("both", "top", "data")
"""`top` as the tables say, `data` as the samples read, `both` at once."""


def made(backend: Backend, project: Project, *, cubes: int | None = None) -> Response:
    """The key of a project, and the cubes that the call used."""
    fields: dict[str, Any] = {"key": project.id}
    if cubes is not None:
        fields["cube_used"] = cubes
    return _answer(backend, top=fields, data=fields)


def progress(backend: Backend, project: Project, *, at: float) -> Response:
    """Progress and URL; a failed render says so everywhere."""
    done, url = project.progress_at(at), backend.links.url(project, at)
    more: dict[str, Any] = {}
    if project.error is not None:
        error = {"code": project.error[0], "msg": project.error[1]}
        more = {"state": project.state, "error": error, "msg": error["msg"]}
    form = backend.options.v2_answers
    if form == "both":
        seen = {"progress": done, "url": url, "videoUrl": url, **more}
        return _answer(backend, top=seen, data=seen)
    return _answer(
        backend, top={"progress": done, "videoUrl": url, **more}, data={"progress": done, "url": url, **more}
    )


def _answer(backend: Backend, *, top: dict[str, Any], data: dict[str, Any]) -> Response:
    form = backend.options.v2_answers
    shown: dict[str, Any] = {"success": True}
    if form != "data":
        shown |= top
    if form != "top":
        shown["data"] = data
    return plain(shown)
