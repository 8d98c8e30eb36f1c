"""The v2 calls for one avatar or one voice (AI Studios v2 contract, simple calls); they have webhooks."""

from typing import Any

from renderline.sandbox import v2_answers
from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.charges import AUDIO, EXPORT
from renderline.sandbox.media import SECONDS
from renderline.sandbox.responses import Response, dumps
from renderline.sandbox.v2 import BASE
from renderline.sandbox.v2_validation import SIMPLE_AUDIO, SIMPLE_VIDEO
from renderline.sandbox.v3_validation import check
from renderline.sandbox.validation import Table


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def simple(body: dict[str, Any], call: Call, table: Table, *, sort: str) -> Response:
        check(body, table)
        backend.admit(call.account)
        model = {name: body.get(name) for name in ("model", "clothes", "language")}
        scene = {"AIModel": {**model, "script": body["text"], "locationX": 0, "locationY": 0}}
        project = backend.create(call, api="v2", body=dumps({"scenes": [scene]}), fields=body, scene_count=1)
        if sort == AUDIO:
            project.suffix, project.duration = "wav", SECONDS
        project.webhook_url = body.get("webhook")
        backend.start(project, call, sort=sort)
        return v2_answers.made(backend, project)

    def video(call: Call) -> Response:
        return simple(call.body(), call, SIMPLE_VIDEO, sort=EXPORT)

    def audio(call: Call) -> Response:
        return simple(call.body(), call, SIMPLE_AUDIO, sort=AUDIO)

    def find(call: Call) -> Response:
        return v2_answers.made(backend, backend.store.read(call.account, call.key, at=call.seen_at))

    base = f"{BASE}/simple"
    return [
        Route("POST", f"{base}/video", video, "v2", "body", ("create", "export")),
        Route("POST", f"{base}/audio", audio, "v2", "body", ("create", "export", "audio")),
        Route("POST", f"{base}/find/{{key}}", find, "v2", "key", ("project",)),
    ]
