"""`renderline v2`: each command makes its one call, and says what the vendor answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.command_result import CommandResult
from tests.integration.studio.scripted_vendor import ScriptedVendor, bad, hang_up, reply, scripted_vendor

SCENE = {"AIModel": {"model": "M1", "clothes": "B1", "script": "Hi.", "locationX": 0, "locationY": 0}, "clips": []}
TEXT = {"type": "text", "detail": {"textSource": "Half price"}}
PROJECT = {"projectName": "Spring", "scenes": [{**SCENE, "clips": [TEXT]}, {"clips": None}, 7]}
KEY = "-N4qJq7DwnRjBQ7hiozRc"


@pytest.fixture
def vendor() -> Iterator[ScriptedVendor]:
    with scripted_vendor() as server:
        yield server


@pytest.fixture
def v2(run: Callable[..., CommandResult], vendor: ScriptedVendor) -> Callable[..., CommandResult]:
    settings = {"AISTUDIOS_V2_SECRET_KEY": "v2-key", "AISTUDIOS_V2_BASE_URL": vendor.url}
    return lambda *arguments, **more: run("v2", *arguments, **settings, **more)


CALLS: dict[tuple[str, ...], tuple[str, str, Any, Any, Any]] = {
    # command: method, path, body, the vendor's answer, what --json shows
    ("find", KEY): (
        *("POST", f"/api/odin/simple/find/{KEY}", {}, {"success": True, "key": KEY}),
        {"key": KEY, "download_url": None},
    ),
    ("get", KEY): ("GET", f"/api/odin/editor/project/{KEY}", None, {"success": True, "response": PROJECT}, PROJECT),
    ("get-by-name", "In spring"): (
        *("GET", "/api/odin/editor/project/name/In%20spring", None, {"success": True, "response": PROJECT}, PROJECT),
    ),
    ("duplicate", KEY): (
        *("POST", f"/api/odin/editor/project/duplicate/{KEY}", {}),
        *({"success": True, "projectData": {"key": "copy"}}, {"key": "copy", "project": {"key": "copy"}}),
    ),
    ("scene-add", KEY, "0", "-"): (
        *("POST", f"/api/odin/editor/scene/{KEY}", {"sceneIdx": 0, "scene": SCENE}),
        *({"success": True}, {"key": KEY, "scene": 0, "done": "added"}),
    ),
    ("scene-update", KEY, "3", "-"): (
        *("PUT", f"/api/odin/editor/scene/{KEY}", {"sceneIdx": 3, "scene": SCENE}),
        *({"success": True, "msg": ""}, {"key": KEY, "scene": 3, "done": "updated"}),
    ),
    ("scene-delete", KEY, "1"): (
        *("DELETE", f"/api/odin/editor/scene/{KEY}", {"sceneIdx": 1}),
        *({"success": True, "cube_used": 1, "key": KEY}, {"key": KEY, "scene": 1, "done": "deleted"}),
    ),
}


@pytest.mark.parametrize("command", CALLS, ids=lambda command: command[0])
def test_each_command_makes_its_call_and_shows_the_answer(v2, vendor, command):
    method, path, body, answer, shown = CALLS[command]
    vendor.will(reply(answer))
    result = v2(*command, "--json", given=json.dumps(SCENE))
    assert (result.code, result.value) == (0, shown)
    (seen,) = vendor.seen
    assert (seen.method, seen.path, seen.headers["Authorization"]) == (method, path, "v2-key")
    assert (seen.body if seen.raw else None) == body


def test_a_project_is_a_table_of_its_scenes(v2, vendor):
    vendor.will(reply({"success": True, "response": PROJECT}))
    lines = v2("get", KEY).out.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["SCENE", "MODEL", "CLOTHES", "SCRIPT", "CLIPS"],
        ["0", "M1", "B1", "Hi.", "text", "Half", "price"],
    ]
    assert [line.split()[0] for line in lines[2:]] == ["1", "2"]


def test_a_wrong_scene_is_named_and_not_sent(v2, vendor):
    wrong = {"AIModel": {**SCENE["AIModel"], "script": " "}, "clips": [{"type": "image", "detail": {}}]}
    result = v2("scene-add", KEY, "0", "-", given=json.dumps(wrong))
    assert result.code == 2
    assert "<stdin>: scene.AIModel.script: may not be empty" in result.err
    assert "<stdin>: scene.clips.0.detail.url: is required" in result.err
    assert v2("scene-update", KEY, "0", "-", given="[{}, {}]").code == 2
    assert not vendor.seen


def test_a_key_that_the_vendor_does_not_know(v2, vendor):
    vendor.will(bad("E404", "no such project", status=404))
    result = v2("get", KEY)
    assert (result.code, "no such project" in result.err) == (5, True)


def test_a_change_whose_answer_is_lost_is_not_repeated(v2, vendor):
    vendor.will(hang_up)
    result = v2("scene-delete", KEY, "0")
    assert result.code == 1
    assert f"it may have taken effect, so look first: renderline v2 get {KEY}" in result.err
    assert len(vendor.seen) == 1


def test_an_account_without_a_v2_key(run):
    result = run("v2", "find", KEY)
    assert (result.code, "v2" in result.err) == (2, True)
