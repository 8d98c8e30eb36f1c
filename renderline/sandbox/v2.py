"""The v2 calls about projects (AI Studios v2 contract)."""

import json
from typing import Any
from urllib.parse import unquote

from renderline.sandbox import v2_answers
from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.magic import find_tags, script_texts
from renderline.sandbox.projects import Project
from renderline.sandbox.responses import NO_SUCH_PROJECT, Refusal, Response, dumps, plain
from renderline.sandbox.v2_edits import apply_updates
from renderline.sandbox.v2_validation import check_create, check_edit

BASE = "/api/odin"


def content_of(backend: Backend, project: Project) -> dict[str, Any]:
    """What a project holds."""
    content: dict[str, Any] = json.loads(backend.store.packing.unpack(project.packed))
    return content


def store_content(backend: Backend, project: Project, content: dict[str, Any], *, now: float) -> None:
    """Give a project other scenes."""
    project.changing(now)
    project.tags = find_tags(project.account.name, name=project.name, texts=script_texts(content))
    project.packed = backend.store.packing.pack(dumps(content))
    project.scene_count = len(content["scenes"])
    project.updated_at = now


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def create(call: Call) -> Response:
        body = call.body()
        check_create(body)
        backend.admit(call.account)
        project = backend.create(call, api="v2", body=call.raw, fields=body, scene_count=len(body["scenes"]))
        backend.start(project, call)
        return v2_answers.made(backend, project, cubes=project.cost)

    def progress(call: Call) -> Response:
        project = backend.store.read(call.account, call.key, at=call.seen_at)
        return v2_answers.progress(backend, project, at=call.seen_at)

    def shown(project: Project) -> Response:
        response = {"projectName": project.name, "scenes": content_of(backend, project)["scenes"]}
        return plain({"success": True, "response": response, "msg": False})

    def get(call: Call) -> Response:
        return shown(backend.store.read(call.account, call.key, at=call.seen_at))

    def get_by_name(call: Call) -> Response:
        name = unquote(call.key)
        known = (p for p in backend.store.listed(call.account, at=call.seen_at) if p.api == "v2" and p.name == name)
        newest = max(known, key=lambda project: project.created_at, default=None)
        if newest is None:
            raise Refusal(NO_SUCH_PROJECT, "there is no project of this name")
        return shown(newest)

    def edit(call: Call) -> Response:
        updates = check_edit(call.body())
        project = backend.store.get(call.account, call.key)
        content = content_of(backend, project)
        apply_updates(content["scenes"], updates)
        check_create(content)
        backend.admit(call.account)
        edited = backend.edited(project, call)
        store_content(backend, edited, content, now=call.now)
        backend.start(edited, call)
        return v2_answers.made(backend, edited, cubes=edited.cost)

    def duplicate(call: Call) -> Response:
        project = backend.store.get(call.account, call.key)
        twin = backend.twin(project, call)
        data = {"key": twin.id, "projectName": twin.name, "scenes": content_of(backend, twin)["scenes"]}
        return plain({"success": True, "projectData": data})

    editor = f"{BASE}/editor"
    return [
        Route("POST", f"{editor}/project", create, "v2", "body", ("create", "export")),
        Route("POST", f"{editor}/project/{{key}}", edit, "v2", "key", ("edit", "export")),
        Route("POST", f"{editor}/project/duplicate/{{key}}", duplicate, "v2", "key", ("create", "draft")),
        Route("GET", f"{editor}/progress/{{key}}", progress, "v2", "key", ("progress",)),
        Route("GET", f"{editor}/project/{{key}}", get, "v2", "key", ("project",)),
        Route("GET", f"{editor}/project/name/{{name}}", get_by_name, "v2", None, ("project",)),
    ]
