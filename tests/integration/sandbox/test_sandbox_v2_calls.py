"""The v2 calls that change projects, the simple ones, and their webhook by query string."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sandbox_client import SandboxClient, running

from harness import until

HEADERS = {"Authorization": "the-key"}
MODEL = {"model": "M000004017", "clothes": "BG00006160", "locationX": 0, "locationY": 0}


def scene(script: str = "Hello.", **more: Any) -> dict[str, Any]:
    clips = [
        {"type": "background", "detail": {"url": "https://x/b.png"}},
        {"type": "image", "detail": {"url": "https://x/i.png"}},
    ]
    return {"AIModel": {**MODEL, "script": script}, "clips": clips, **more}


def call(emulator: SandboxClient, method: str, path: str, body: Any = None) -> requests.Response:
    return emulator.call(method, f"/api/odin{path}", json=body, headers=HEADERS)


def answer(emulator: SandboxClient, method: str, path: str, body: Any = None) -> Any:
    given = call(emulator, method, path, body)
    assert given.status_code == 200, given.text
    assert given.json()["success"] is True
    return given.json()


def made(emulator: SandboxClient, *scripts: str, **more: Any) -> str:
    body = {"scenes": [scene(script) for script in scripts or ("Hello.",)], **more}
    return str(answer(emulator, "POST", "/editor/project", body)["key"])


def scripts_of(emulator: SandboxClient, key: str) -> list[str]:
    got = answer(emulator, "GET", f"/editor/project/{key}")["response"]["scenes"]
    return [shown["AIModel"]["script"] for shown in got]


def test_edit_and_export(emulator: SandboxClient) -> None:
    key = made(emulator)
    updates = [
        {"sceneIdx": 0, "property": "AIModel", "values": {"script": "changed"}},
        {"sceneIdx": 0, "property": "clips", "clipType": "image", "clipIdx": 1, "values": {"locationX": 0.25}},
        {"sceneIdx": 0, "property": "clips", "clipType": "background", "values": {"url": "https://x/new.png"}},
    ]
    edited = answer(emulator, "POST", f"/editor/project/{key}", {"updates": updates})
    assert (edited["key"], edited["cube_used"]) == (key, 1)
    (shown,) = answer(emulator, "GET", f"/editor/project/{key}")["response"]["scenes"]
    assert shown["AIModel"]["script"] == "changed"
    assert [clip["detail"] for clip in shown["clips"]] == [
        {"url": "https://x/new.png"},
        {"url": "https://x/i.png", "locationX": 0.25},
    ]
    assert emulator.control("GET", "projects")[0]["exports"] == 2


def test_an_edit_may_answer_with_a_new_key() -> None:
    with running("--edits", "new", "--render-seconds", "600") as emulator:
        key = made(emulator)
        update = {"sceneIdx": 0, "property": "AIModel", "values": {"script": "changed"}}
        new = answer(emulator, "POST", f"/editor/project/{key}", {"updates": [update]})["key"]
        assert new != key
        assert (scripts_of(emulator, key), scripts_of(emulator, new)) == (["Hello."], ["changed"])
        assert [shown["exports"] for shown in emulator.control("GET", "projects")] == [1, 1]


@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"sceneIdx": 3, "property": "AIModel", "values": {}}, "updates.0.sceneIdx: the project has no scene 3"),
        ({"sceneIdx": 0, "property": [], "values": {}}, "updates.0.property: must be one of AIModel, clips"),
        ({"sceneIdx": 0, "property": "clips", "clipIdx": 9, "values": {}}, "no clip at clipIdx 9"),
        ({"sceneIdx": 0, "property": "clips", "clipIdx": 0, "clipType": "text", "values": {}}, "of clipType text"),
        ({"sceneIdx": 0, "property": "AIModel", "values": {"script": ""}}, "scenes.0.AIModel.script"),
    ],
)
def test_edits_that_are_refused(emulator: SandboxClient, update: Any, words: str) -> None:
    refused = call(emulator, "POST", f"/editor/project/{made(emulator)}", {"updates": [update]})
    assert refused.status_code == 400
    assert words in refused.json()["msg"]


def test_duplicate_and_scenes(emulator: SandboxClient) -> None:
    key = made(emulator, "one", "two", projectName="Mine")
    twin = answer(emulator, "POST", f"/editor/project/duplicate/{key}", {})["projectData"]
    assert (twin["projectName"], twin["key"] == key) == ("Mine", False)
    path = f"/editor/scene/{twin['key']}"
    assert answer(emulator, "POST", path, {"sceneIdx": 1, "scene": scene("between")})["msg"]
    assert scripts_of(emulator, twin["key"]) == ["one", "between", "two"]
    answer(emulator, "PUT", path, {"sceneIdx": 0, "scene": scene("first")})
    deleted = answer(emulator, "DELETE", path, {"sceneIdx": 2})
    assert (deleted["key"], deleted["cube_used"]) == (twin["key"], 0)
    assert scripts_of(emulator, twin["key"]) == ["first", "between"]
    assert scripts_of(emulator, key) == ["one", "two"]
    assert emulator.control("GET", f"projects?id={twin['key']}")[0]["exports"] == 0
    for method, body in [("POST", {"sceneIdx": 9, "scene": scene()}), ("PUT", {"sceneIdx": 9, "scene": scene()})]:
        assert call(emulator, method, path, body).status_code == 400
    assert call(emulator, "DELETE", path, {}).status_code == 400
    assert call(emulator, "POST", path, {"sceneIdx": 0, "scene": {"clips": [{"type": []}]}}).status_code == 400


def test_by_name_the_newest_wins(emulator: SandboxClient) -> None:
    made(emulator, "old", projectName="Weekly news/1")
    made(emulator, "new", projectName="Weekly news/1")
    got = answer(emulator, "GET", "/editor/project/name/Weekly%20news%2F1")["response"]
    assert (got["projectName"], got["scenes"][0]["AIModel"]["script"]) == ("Weekly news/1", "new")
    assert call(emulator, "GET", "/editor/project/name/none").status_code == 404


SIMPLE = {"language": "en", "text": "Sample", "model": "M000004017", "clothes": "BG00006160"}


@pytest.mark.parametrize(("what", "suffix", "kind"), [("video", "mp4", "video/mp4"), ("audio", "wav", "audio/wav")])
def test_simple_calls(emulator: SandboxClient, what: str, suffix: str, kind: str) -> None:
    key = answer(emulator, "POST", f"/simple/{what}", SIMPLE)["key"]
    assert answer(emulator, "POST", f"/simple/find/{key}", {})["data"]["key"] == key
    emulator.control("POST", "complete", {"id": key})
    url = answer(emulator, "GET", f"/editor/progress/{key}")["data"]["url"]
    assert url.endswith(f"{key}.{suffix}")
    assert requests.get(url, timeout=30).headers["Content-Type"] == kind
    assert call(emulator, "POST", f"/simple/{what}", {**SIMPLE, "text": []}).status_code == 400
    assert call(emulator, "POST", "/simple/find/none", {}).status_code == 404
    counted = emulator.control("GET", "charges")["charged"]
    assert (counted["audio"], counted["export"]) == ((1, 0) if what == "audio" else (0, 1))


class Queries(ThreadingHTTPServer):
    """Keeps the paths that are asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.paths: list[str] = []


class Asked(BaseHTTPRequestHandler):
    server: Queries

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the screen."""


@pytest.fixture
def queries() -> Iterator[Queries]:
    with Queries() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("own", ["/hook", "/hook?order=7"])
def test_the_result_comes_as_a_query_once(emulator: SandboxClient, queries: Queries, own: str) -> None:
    webhook = f"http://127.0.0.1:{queries.server_port}{own}"
    key = answer(emulator, "POST", "/simple/audio", {**SIMPLE, "webhook": webhook})["key"]
    emulator.control("POST", "complete", {"id": key})
    until(lambda: queries.paths)
    (path,) = queries.paths
    parts = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
    assert parts.path == "/hook"
    assert query.pop("order", None) == ("7" if "order" in own else None)
    assert query.pop("videoUrl").endswith(f"/files/{key}.wav")
    assert query == {"ai_progress_update_loc": f"ai-video/{key}/", "duration": "1.000000"}


@pytest.mark.parametrize(("form", "top"), [("top", True), ("data", False)])
def test_answers_in_a_single_form(form: str, top: bool) -> None:
    with running("--v2-answers", form, "--render-seconds", "0") as emulator:
        given = answer(emulator, "POST", "/simple/video", SIMPLE)
        assert set(given) == {"success", "key"} if top else set(given["data"]) == {"key"}
        assert top or set(given) == {"success", "data"}
        key = given["key"] if top else given["data"]["key"]
        seen = answer(emulator, "GET", f"/editor/progress/{key}")
        assert set(seen) == {"success", "progress", "videoUrl"} if top else set(seen["data"]) == {"progress", "url"}
