"""The v3 calls that change projects (AI Studios v3 contract: create, edit, export, delete, simple video, template)."""

import json
from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.catalogue import DEFAULT_LOOK, from_template, scene
from renderline.sandbox.edits import apply_updates
from renderline.sandbox.magic import find_tags, script_texts
from renderline.sandbox.renders import task_id
from renderline.sandbox.responses import Response, dumps, success
from renderline.sandbox.v3_validation import (
    DELETE,
    EXPORT,
    SIMPLE_CUSTOM,
    SIMPLE_VIDEO,
    TEMPLATE,
    check,
    check_create,
    check_edit,
)

BASE = "/api/odin/v3"


class V3Projects:
    """Handlers of the calls that create, change, render and delete."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def routes(self) -> list[Route]:
        """The calls and their handlers."""
        editor = f"{BASE}/editor"
        return [
            Route("POST", f"{editor}/project", self.create, "v3", "body", ("create",), True),
            Route("DELETE", f"{editor}/project", self.delete, "v3", "ids", ("delete",)),
            Route("POST", f"{editor}/project/export", self.export, "v3", "projectId", ("export",)),
            Route("POST", f"{editor}/project/{{key}}", self.edit, "v3", "key", ("edit",), True),
            Route("POST", f"{BASE}/simple/video", self.simple_video, "v3", "body", ("create",), False),
            Route("POST", f"{BASE}/simple/custom", self.simple_custom, "v3", "body", ("create",), True),
            Route("POST", f"{editor}/template/{{templateId}}", self.template, "v3", "body", ("create", "draft")),
        ]

    def create(self, call: Call) -> Response:
        """Create a project; render it unless `isExport` is false."""
        body = call.body()
        check_create(body, lenient=self._backend.options.lenient)
        return self._created(call, body, call.raw, scene_count=len(body["scenes"]))

    def simple_video(self, call: Call) -> Response:
        """A chroma-key video of one avatar; rendered only if `isExport` is true."""
        check(call.body(), SIMPLE_VIDEO)
        return self._simple(call, str(call.body()["clothes"]))

    def simple_custom(self, call: Call) -> Response:
        """A video with the caller's own avatar; rendered unless `isExport` is false."""
        check(call.body(), SIMPLE_CUSTOM)
        return self._simple(call, DEFAULT_LOOK[1], with_task=True)

    def _simple(self, call: Call, clothes: str, *, with_task: bool = False) -> Response:
        body = call.body()
        made = {**body, "scenes": [scene(0, body["text"], model=body["model"], clothes=clothes)]}
        return self._created(call, body, dumps(made), scene_count=1, with_task=with_task)

    def _created(
        self, call: Call, fields: dict[str, Any], stored: bytes, *, scene_count: int, with_task: bool = False
    ) -> Response:
        exports = call.wants_export()
        if exports:
            self._backend.admit(call.account)
        if self._backend.options.names == "cut" and isinstance(fields.get("name"), str):
            fields = {**fields, "name": fields["name"][:30]}
        project = self._backend.create(call, api="v3", body=stored, fields=fields, scene_count=scene_count)
        if exports:
            self._backend.start(project, call)
        made = {"projectId": project.id}
        return success({**made, "taskId": task_id(project)} if with_task else made)

    def template(self, call: Call) -> Response:
        """A draft made from a template; fields come by query, JSON or form, under either pair of names."""
        fields = call.merged()
        check(fields, TEMPLATE)
        model, clothes = fields.get("aiName") or fields.get("model"), fields.get("clothId") or fields.get("clothes")
        name, body = from_template(call.key, model=model, clothes=clothes)
        fields = {"name": fields.get("name") or name, "orientation": body["orientation"]}
        tags = find_tags(call.account, name=fields["name"], texts=())
        project = self._backend.create(call, api="v3", body=dumps(body), fields=fields, scene_count=len(body["scenes"]))
        project.tags = tags
        project.template_id = call.key
        return success({"projectId": project.id})

    def edit(self, call: Call) -> Response:
        """Change a project in place and render it unless `isExport` is false."""
        backend, body = self._backend, call.body()
        project = backend.store.get(call.account, call.key)
        project.require_generated(call.now)
        updates = check_edit(body)
        if call.wants_export():
            backend.admit(call.account)
        content = json.loads(backend.store.packing.unpack(project.packed))
        apply_updates(content["scenes"], updates, path="updates")
        if not backend.options.lenient:
            check_create({"scenes": content["scenes"]}, lenient=False)
        project = backend.edited(project, call)
        project.changing(call.now)
        project.tags = find_tags(call.account, name=project.name, texts=script_texts(content))
        project.packed = backend.store.packing.pack(dumps(content))
        project.updated_at = call.now
        backend.address(project, call, body)
        if call.wants_export():
            backend.start(project, call)
        return success({"projectId": project.id})

    def export(self, call: Call) -> Response:
        """Render a project, also if it renders already or was rendered before. Every render is charged."""
        body = call.body()
        check(body, EXPORT)
        project = self._backend.store.get(call.account, body["projectId"])
        project.require_generated(call.now)
        self._backend.admit(call.account)
        self._backend.address(project, call, body)
        self._backend.start(project, call)
        return success({"projectId": project.id})

    def delete(self, call: Call) -> Response:
        """Delete projects; unknown ids are ignored."""
        check(call.body(), DELETE)
        readable = self._backend.options.deleted == "readable"
        count = self._backend.store.delete(call.account, call.body()["ids"], now=call.now, readable=readable)
        return success({"deletedCount": count})
