"""The v2 calls (AI Studios v2 contract): answers hold both documented forms, so either parser works."""

import json
from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.responses import Response, plain
from renderline.sandbox.v2_validation import check_create

BASE = "/api/odin"


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def create(call: Call) -> Response:
        body = call.body()
        check_create(body)
        backend.admit(call.account)
        project = backend.create(call, api="v2", body=call.raw, fields=body, scene_count=len(body["scenes"]))
        backend.start(project, call)
        made = {"key": project.id, "cube_used": project.cost}
        return plain({"success": True, **made, "data": made})

    def progress(call: Call) -> Response:
        project = backend.store.read(call.account, call.key, at=call.seen_at)
        url = project.download_url(call.seen_at)
        seen: dict[str, Any] = {"progress": project.progress_at(call.seen_at), "url": url, "videoUrl": url}
        if project.error is not None:
            error = {"code": project.error[0], "msg": project.error[1]}
            seen |= {"state": project.state, "error": error, "msg": error["msg"]}
        return plain({"success": True, **seen, "data": seen})

    def get(call: Call) -> Response:
        project = backend.store.read(call.account, call.key, at=call.seen_at)
        content = json.loads(backend.store.packing.unpack(project.packed))
        response = {"projectName": project.name, "scenes": content["scenes"]}
        return plain({"success": True, "response": response, "msg": False})

    return [
        Route("POST", f"{BASE}/editor/project", create, "v2", "body", ("create", "export")),
        Route("GET", f"{BASE}/editor/progress/{{key}}", progress, "v2", "key", ("progress",)),
        Route("GET", f"{BASE}/editor/project/{{key}}", get, "v2", "key", ("project",)),
    ]
