"""No body gives a 500: every call with its sample, and that sample with odd values in every place."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

from harness import ROOT
from renderline.sandbox.backend import Backend
from renderline.sandbox.dispatch import Dispatch
from renderline.sandbox.options import Options
from renderline.sandbox.responses import Response

V3, V2 = "/api/odin/v3", "/api/odin"
TEMPLATE = "65fa6b07dca2e367461a2925"
PERSON = {"url": "https://x.example/me.mp4", "name": "Me", "gender": "FEMALE", "locale": "en", "tts": {}}
OPTIONS = {"language": "en", "duration": 60, "speed": 1, "style": "anime", "templateId": TEMPLATE, "model": "m"}
V2_SCENE = {
    "AIModel": {"model": "m", "clothes": "c", "script": "s", "locationX": 0, "locationY": 0},
    "clips": [{"type": "image", "detail": {"url": "https://x.example", "scale": 1}}],
}
SIMPLE = {"language": "en", "text": "t", "model": "m", "clothes": "c"}

PLACE = {"layer": 1, "top": 0, "left": 0, "height": 9, "width": 9}
LOOK = {"modelId": "m", "clothId": "c"}
AVATAR = {"id": "a", "type": "aiModel", **PLACE, "model": {"ai_name": "m", "emotion": "c"}, "script": {"org": "s"}}
PROJECT = {
    "name": "n",
    "orientation": "landscape",
    "webhookUrl": "https://x.example",
    "scenes": [
        {
            "sceneIdx": 0,
            "scripts": [{"org": "s", "isTTS": False, "tts": None, **LOOK}],
            "background": {"id": "background"},
            "clips": [AVATAR, {"id": "i", "type": "image", **PLACE, "source_url": "https://x.example"}],
        }
    ],
}

DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]

ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 10**400, float("inf"), float("nan"), "", " ", "x", "\ud800", "\0", "https://["),
    *([], {}, [[]], [None], [{}], {"": None}, {"org": []}, {"value": [3]}, DEEP),
    *(
        "[sandbox:429=inf]",
        "[sandbox:refuse=nan]",
        "[sandbox:hang=9e99]",
        "[sandbox:slow=1e999]",
        "[sandbox:fail=" + "9" * 99,
    ),
]


def sample(name: str) -> Any:
    return json.loads((ROOT / "examples" / f"{name}.json").read_text())


CALLS: list[tuple[str, str, Any]] = [
    ("POST", f"{V3}/auth/token", {"appId": "a", "userKey": "k"}),
    ("POST", f"{V3}/editor/project", PROJECT),
    ("DELETE", f"{V3}/editor/project", {"ids": ["x"]}),
    ("POST", f"{V3}/editor/project/{{v3}}", sample("v3-edit-project")),
    ("POST", f"{V3}/editor/project/export", {"projectId": "{v3}", "resolution": "1080"}),
    ("POST", f"{V3}/editor/template/{TEMPLATE}", {"name": "n", "aiName": "m", "clothId": "c", "params": {"name": "n"}}),
    ("POST", f"{V3}/simple/video", sample("v3-simple-video")),
    ("POST", f"{V3}/simple/custom", SIMPLE),
    ("POST", f"{V3}/simple/audio", {**SIMPLE, "tts": {}}),
    ("POST", f"{V3}/dropdown/templates_automation", {"category": "social", "orientation": "web"}),
    ("POST", f"{V3}/automation/topic_to_video", {"topic": "t", "options": OPTIONS}),
    ("POST", f"{V3}/automation/url_to_video", {"url": "https://x.example", "options": OPTIONS}),
    ("POST", f"{V3}/automation/scripts_to_video", {"scripts": "t", "options": {**OPTIONS, "scriptOption": "ai"}}),
    ("POST", f"{V3}/automation/docs-to-video", {"files": [{"uri": "u", "fileName": "f"}], "options": OPTIONS}),
    ("POST", f"{V3}/automation/docs-to-video/upload-files", {}),
    ("POST", f"{V3}/automation/translatevideos", {}),
    ("POST", f"{V3}/editor/project/pptpdf", {}),
    *((("POST", f"{V3}/avatars/{name}", PERSON)) for name in ("customavatar", "dreamavatar", "voiceclone")),
    ("POST", f"{V3}/tools/image-generator", {"topic": "t", "style": "3D", "size": "SQUARE"}),
    ("POST", f"{V3}/tools/voice-generator", {"script": "s", "model": "m", "type": "t", "language": "en"}),
    ("POST", f"{V2}/editor/project", {"scenes": [V2_SCENE], "projectName": "p"}),
    (
        "POST",
        f"{V2}/editor/project/{{v2}}",
        {"updates": [{"sceneIdx": 0, "property": "clips", "clipIdx": 0, "clipType": "image", "values": {"url": "x"}}]},
    ),
    ("POST", f"{V2}/editor/project/duplicate/{{v2}}", {}),
    ("POST", f"{V2}/editor/scene/{{v2}}", {"sceneIdx": 0, "scene": V2_SCENE}),
    ("PUT", f"{V2}/editor/scene/{{v2}}", {"sceneIdx": 0, "scene": V2_SCENE}),
    ("DELETE", f"{V2}/editor/scene/{{v2}}", {"sceneIdx": 0}),
    ("POST", f"{V2}/simple/video", {**SIMPLE, "webhook": "https://x.example", "uppercut": 1}),
    ("POST", f"{V2}/simple/find/{{v2}}", {}),
]


class Recorded:
    """An exchange whose answer is kept."""

    form = None
    too_large = False

    def __init__(self, method: str, path: str, raw: bytes, token: str) -> None:
        self.method, self.path, self.raw, self.query = method, path, raw, ""
        self.headers = HTTPHeaders({"Authorization": token, "Host": "sandbox"})
        self.answer: Response | None = None

    def send(self, answer: Response) -> None:
        self.answer = answer

    def cut(self) -> None:
        self.answer = Response(204)


class InProcess:
    """A sandbox without a server, with a project of each API."""

    def __init__(self, *, lenient: bool) -> None:
        options = Options(lenient=lenient, render_seconds=0, seed=1)
        self.backend = Backend(options, set_alarm=lambda _: None)
        self.dispatch = Dispatch(self.backend)
        self.token = self.backend.tokens.issue("app", "key", now=self.backend.clock.now())
        self.v3 = self.call("POST", f"{V3}/editor/template/{TEMPLATE}", {})["data"]["projectId"]
        self.v2 = self.call("POST", f"{V2}/editor/project", {"scenes": [V2_SCENE, V2_SCENE]})["key"]

    def answer(self, method: str, path: str, raw: bytes) -> Response:
        exchange = Recorded(method, path, raw, self.token)
        self.dispatch.serve(exchange)  # type: ignore[arg-type]
        assert exchange.answer is not None
        return exchange.answer

    def call(self, method: str, path: str, body: Any) -> Any:
        answer = self.answer(method, path, json.dumps(body).encode())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def read_back(self, path: str, answer: Any) -> None:
        """Read, edit and export what a call has made."""
        data = answer.get("data")
        made = (data if isinstance(data, dict) else {}).get("projectId") or answer.get("key")
        if made is None:
            return
        base = V3 if path.startswith(V3) else V2
        clip = {"sceneIdx": 0, "type": "image", "values": {"opacity": 5}}
        avatar = {"sceneIdx": 0, "type": "aiModel", "values": {"script": "new"}}
        older = {"sceneIdx": 0, "property": "clips", "values": {"url": "x"}}
        for method, where, body in (
            ("GET", f"{base}/editor/project/{made}", None),
            ("GET", f"{base}/editor/progress/{made}", None),
            ("POST", f"{base}/editor/project/{made}", {"updates": [clip if base == V3 else older]}),
            ("POST", f"{base}/editor/project/{made}", {"updates": [avatar]}),
            ("POST", f"{base}/editor/project/{made}", {"updates": [{**clip, "type": "background"}]}),
            ("POST", f"{V3}/editor/project/export", {"projectId": made}),
            ("GET", f"{V3}/editor/project", None),
        ):
            answered = self.answer(method, where, b"" if body is None else json.dumps(body).encode())
            assert answered.status != 500, (method, where, answered.body)


def variants(value: Any) -> Iterator[Any]:
    """The value with each of its parts replaced by something odd."""
    yield from ODD
    if isinstance(value, dict):
        for name, part in value.items():
            for other in variants(part):
                yield {**value, name: other}
            yield {key: kept for key, kept in value.items() if key != name}
    elif isinstance(value, list) and value:
        for other in variants(value[0]):
            yield [other, *value[1:]]


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(("method", "path", "body"), CALLS, ids=[f"{method} {path}" for method, path, _ in CALLS])
def test_odd_values_anywhere_are_no_500(method: str, path: str, body: Any, lenient: bool) -> None:
    async def run() -> None:
        sandbox = InProcess(lenient=lenient)
        where = path.format(v3=sandbox.v3, v2=sandbox.v2)
        for odd in variants(body):
            raw = json.dumps(odd).replace("{v3}", sandbox.v3).encode()
            answer = sandbox.answer(method, where, raw)
            assert answer.status != 500, (raw[:500], answer.body)
            if "sandbox:" not in str(odd):
                shown = json.loads(answer.body)
                assert "success" in shown
                if lenient and where.endswith("/editor/project"):
                    sandbox.read_back(where, shown)

    asyncio.run(run())
