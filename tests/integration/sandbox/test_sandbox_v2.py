"""The v2 API as a caller sees it: both documented forms in one answer."""

import json
from typing import Any

import requests
from sandbox_client import SandboxClient

from harness import ROOT

HEADERS = {"Authorization": "the-key"}


def sample() -> Any:
    return json.loads((ROOT / "examples" / "v2-seed-minimal.json").read_text())


def create(emulator: SandboxClient, body: Any) -> requests.Response:
    return emulator.call("POST", "/api/odin/editor/project", json=body, headers=HEADERS)


def test_create_progress_and_get(emulator: SandboxClient) -> None:
    made = create(emulator, sample()).json()
    assert made["success"] is True
    assert made["key"] == made["data"]["key"]
    assert made["cube_used"] == 1
    path = f"/api/odin/editor/progress/{made['key']}"
    before = emulator.call("GET", path, headers=HEADERS).json()
    assert before["progress"] == before["data"]["progress"] < 100
    assert before["videoUrl"] is None
    emulator.control("POST", "complete", {"id": made["key"]})
    after = emulator.call("GET", path, headers=HEADERS).json()
    urls = {after["url"], after["videoUrl"], after["data"]["url"], after["data"]["videoUrl"]}
    assert (after["progress"], len(urls)) == (100.0, 1)
    assert emulator.call("HEAD", urls.pop().removeprefix(emulator.url)).status_code == 200
    got = emulator.call("GET", f"/api/odin/editor/project/{made['key']}", headers=HEADERS).json()
    assert got["response"]["scenes"] == sample()["scenes"]
    (shown,) = emulator.control("GET", "projects")
    assert (shown["api"], shown["draft"], shown["exports"], shown["credits"]) == ("v2", False, 1, 1)
    assert "the-key" not in shown["account"]


def test_refusals_have_msg(emulator: SandboxClient) -> None:
    body = sample()
    del body["scenes"][0]["AIModel"]["model"]
    answer = create(emulator, body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert answer.json()["msg"] == "scenes.0.AIModel.model: is required"
    for header in ({}, {"Authorization": "Bearer the-key"}):
        assert emulator.call("GET", "/api/odin/editor/progress/x", headers=header).status_code == 401


def test_magic_in_the_script(emulator: SandboxClient) -> None:
    body = sample()
    body["scenes"][0]["AIModel"]["script"] = "[sandbox:500]"
    assert [create(emulator, body).status_code for _ in range(2)] == [500, 200]


def test_other_keys_see_nothing(emulator: SandboxClient) -> None:
    made = create(emulator, sample()).json()["key"]
    path = f"/api/odin/editor/progress/{made}"
    assert emulator.call("GET", path, headers={"Authorization": "another"}).status_code == 404
