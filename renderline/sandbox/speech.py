"""The v3 call that answers with speech (AI Studios v3 contract, simple audio)."""

from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.charges import AUDIO
from renderline.sandbox.media import SECONDS
from renderline.sandbox.projects import EXPORTED, Project
from renderline.sandbox.responses import Response, success
from renderline.sandbox.v3_validation import check
from renderline.sandbox.validation import Table, filled, obj

BASE = "/api/odin/v3"

SPEECH: Table = {
    "language": (filled, True),
    "text": (filled, True),
    "model": (filled, True),
    "tts": (obj, False),
}


def made_file(backend: Backend, call: Call, *, api: str, suffix: str, fields: dict[str, Any]) -> Project:
    """A file that is there at once, without a project that the editor knows."""
    made = backend.create(call, api=api, body=b"{}", fields=fields, scene_count=1)
    made.suffix, made.state, made.progress = suffix, EXPORTED, 100.0
    made.completed_at = call.now
    made.duration = SECONDS if suffix == "wav" else made.duration
    return made


def routes(backend: Backend) -> list[Route]:
    """The calls and their handlers."""

    def audio(call: Call) -> Response:
        body = call.body()
        check(body, SPEECH)
        made = made_file(backend, call, api="audio", suffix="wav", fields={"name": "speech"})
        backend.pay(made, call, AUDIO, subject=body["text"])
        words = [{"text": word, "index": index} for index, word in enumerate(body["text"].split()[:50])]
        answer = {"fileName": f"{made.id}.wav", "downloadUrl": backend.links.url(made, call.now), "metaList": words}
        return success(answer)

    return [Route("POST", f"{BASE}/simple/audio", audio, "v3", "body", ("create", "audio", "export"))]
