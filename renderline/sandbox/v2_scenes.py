"""The v2 calls that add, replace and remove one scene (AI Studios v2 contract, scenes)."""

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.responses import BAD_BODY, Refusal, Response, plain
from renderline.sandbox.v2 import BASE, content_of, store_content
from renderline.sandbox.v2_answers import made
from renderline.sandbox.v2_edits import scene_at
from renderline.sandbox.v2_validation import SCENE_AT, check_scene_call
from renderline.sandbox.v3_validation import check


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def add(call: Call) -> Response:
        body = call.body()
        check_scene_call(body)
        project = backend.store.get(call.account, call.key)
        content, position = content_of(backend, project), int(body["sceneIdx"])
        if not 0 <= position <= len(content["scenes"]):
            raise Refusal(BAD_BODY, f"sceneIdx: must be between 0 and {len(content['scenes'])}")
        content["scenes"].insert(position, body["scene"])
        store_content(backend, project, content, now=call.now)
        return plain({"success": True, "msg": "added"})

    def update(call: Call) -> Response:
        body = call.body()
        check_scene_call(body)
        project = backend.store.get(call.account, call.key)
        content, position = content_of(backend, project), int(body["sceneIdx"])
        scene_at(content["scenes"], position, "sceneIdx")
        content["scenes"][position] = body["scene"]
        store_content(backend, project, content, now=call.now)
        return plain({"success": True, "msg": "updated"})

    def delete(call: Call) -> Response:
        body = call.body()
        check(body, SCENE_AT)
        project = backend.store.get(call.account, call.key)
        content, position = content_of(backend, project), int(body["sceneIdx"])
        scene_at(content["scenes"], position, "sceneIdx")
        del content["scenes"][position]
        store_content(backend, project, content, now=call.now)
        return made(backend, project, cubes=0)

    path = f"{BASE}/editor/scene/{{key}}"
    return [
        Route("POST", path, add, "v2", "key", ("edit",)),
        Route("PUT", path, update, "v2", "key", ("edit",)),
        Route("DELETE", path, delete, "v2", "key", ("edit", "delete")),
    ]
