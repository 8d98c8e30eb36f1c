"""The kinds that take one call, and drafts alone, to their end: stored files, hooks, and what the vendor charged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from standardwebhooks import Webhook

from harness import HOOK_SECRET, ROOT
from renderline.studio import StudioV2
from tests.acceptance.conftest import AVATAR, V2_KEY, System

SPOKEN = {"language": "en", "text": "Hello.", "model": "M000045058"}
DRESSED = {**SPOKEN, "clothes": "BG00002320"}
TEMPLATE = "65fa6b07dca2e367461a2925"
V2_PROJECT = json.loads((ROOT / "examples/v2-seed-minimal.json").read_text())


@pytest.fixture(scope="module")
def system(start_system: Callable[..., System]) -> System:
    # Longer than the wait for the first poll: an edit is seen to begin by a progress below that of its old video.
    return start_system("--render-seconds", "3", workers=1)


@pytest.fixture(scope="module")
def v2_key(system: System) -> str:
    """The key of a v2 project that was rendered before: its old video must not be taken for the new one."""
    studio = StudioV2(system.sandbox.url, secret_key=V2_KEY)
    key = studio.create_project(V2_PROJECT)
    system.sandbox.control("POST", "complete", id=key)
    assert studio.progress(key).download_url
    studio.close()
    return key


def renders(v2_key: str) -> dict[str, tuple[dict[str, Any], str]]:
    """Return the requests by name, each with the ending of its file."""
    edit = {"sceneIdx": 0, "property": "AIModel", "values": {"script": "Other words."}}
    return {
        "simple_custom": ({"kind": "simple_custom", **SPOKEN, "resolution": "720"}, "mp4"),
        "simple_video": ({"kind": "simple_video", **DRESSED}, "mp4"),
        "audio": ({"kind": "audio", **SPOKEN}, "wav"),
        "a business template": ({"kind": "template", "template_id": TEMPLATE, "aiName": "M1", "clothId": "B1"}, "mp4"),
        "a template as in the samples": ({"kind": "template", "template_id": TEMPLATE, "model": "M1"}, "mp4"),
        "v2_project": ({"kind": "v2_project", "payload": V2_PROJECT}, "mp4"),
        "v2_simple_video": ({"kind": "v2_simple_video", **DRESSED, "uppercut": 0.2}, "mp4"),
        "v2_simple_audio": ({"kind": "v2_simple_audio", **SPOKEN}, "wav"),
        "v2_edit": ({"kind": "v2_edit", "project_id": v2_key, "updates": [edit]}, "mp4"),
    }


def take(system: System, wanted: set[str]) -> dict[str, dict[str, Any]]:
    """Return the records of verified deliveries, by render id."""
    found: dict[str, dict[str, Any]] = {}
    while set(found) < wanted:
        headers, raw = system.hook_endpoint.take(60)
        record = Webhook(HOOK_SECRET).verify(raw, headers)["data"]
        assert record["id"] not in found
        if record["id"] in wanted:
            found[record["id"]] = record
    return found


def charges(system: System) -> dict[str, int]:
    """Return how often the vendor started what costs something, by call."""
    calls = system.sandbox.control("GET", "charges")["calls"]
    return {call: sum(figures["started"].values()) for call, figures in calls.items()}


def test_each_kind_ends_with_its_file_its_hooks_and_one_charge(system: System, v2_key: str) -> None:
    hooks = system.request()["hooks"]
    before = charges(system)
    wanted = renders(v2_key)
    ids = {name: system.enqueue({**request, "hooks": hooks}) for name, (request, _) in wanted.items()}
    records = take(system, set(ids.values()))

    for name, (_, ending) in wanted.items():
        record = records[ids[name]]
        assert (record["state"], record["progress"], record["error"]) == ("completed", 100, None), name
        stored = Path(unquote(urlsplit(record["stored_url"]).path))
        assert stored.name == f"{record['id']}.{ending}", name
        content = stored.read_bytes()
        assert content[:4] == b"RIFF" if ending == "wav" else content[4:8] == b"ftyp", name
    assert (records[ids["audio"]]["project_id"], records[ids["audio"]]["polls"]) == (None, 0)
    assert records[ids["v2_edit"]]["project_id"] == v2_key
    new = {call: count - before.get(call, 0) for call, count in charges(system).items()}
    assert sum(new.values()) == len(wanted), new


DRAFTS: dict[str, dict[str, Any]] = {
    "project": {"kind": "project", "scenes": [{"script": "Hello.", "avatar": AVATAR}], "export": False},
    "simple_custom": {"kind": "simple_custom", **SPOKEN, "export": False},
    "simple_video": {"kind": "simple_video", "payload": {**DRESSED, "isExport": False}},
    "template": {"kind": "template", "template_id": TEMPLATE, "export": False},
    "edit": {
        "kind": "edit",
        "updates": {"value": [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Other words."}}]},
        "export": False,
    },
}


def test_a_draft_alone_is_delivered_without_a_render_by_every_kind_that_has_one(system: System) -> None:
    hooks = [{"type": "http", "url": system.hook_endpoint.url}]
    before = charges(system)
    first = {name: system.enqueue({**DRAFTS[name], "hooks": hooks}) for name in DRAFTS if name != "edit"}
    records = take(system, set(first.values()))
    base = records[first["project"]]["project_id"]
    edit = system.enqueue({**DRAFTS["edit"], "project_id": base, "hooks": hooks})
    records |= take(system, {edit})

    assert charges(system) == before
    projects = {project["id"]: project for project in system.sandbox.projects()}
    for name, one in {**first, "edit": edit}.items():
        record = records[one]
        assert (record["state"], record["progress"], record["download_url"]) == ("completed", 100, None), name
        assert (record["credit"], record["stored_url"], record["polls"]) == (None, None, 0), name
        assert (projects[record["project_id"]]["draft"], projects[record["project_id"]]["deleted"]) == (True, False)


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_alone_takes_no_download(system: System, name: str) -> None:
    target = {"project_id": TEMPLATE} if name == "edit" else {}
    request = {**DRAFTS[name], **target, "hooks": [{"type": "http", "url": "https://a.test"}, {"type": "download"}]}
    with pytest.raises(Exception, match=r"hooks\.1: must be left out: a draft") as refused:
        system.enqueue(request)
    assert "hooks.0" not in str(refused.value)


@pytest.mark.parametrize("kind", ["audio", "v2_simple_video", "v2_simple_audio"])
def test_a_kind_without_a_draft_says_so(system: System, kind: str) -> None:
    fields = DRESSED if kind == "v2_simple_video" else SPOKEN
    with pytest.raises(Exception, match=f"export: must be true or left out: a render of kind {kind} has no draft"):
        system.enqueue({"kind": kind, **fields, "export": False})


def test_an_edit_of_a_scene_that_the_template_lacks_is_refused_before_it_is_charged(
    system: System, v2_key: str
) -> None:
    before = charges(system)
    update = {"sceneIdx": 7, "property": "clips", "values": {}}
    hooks = [{"type": "http", "url": system.hook_endpoint.url}]
    one = system.enqueue({"kind": "v2_edit", "project_id": v2_key, "updates": [update], "hooks": hooks})
    error = take(system, {one})[one]["error"]
    assert (error["origin"], error["code"]) == ("caller", "unfit_request")
    assert error["message"] == f"updates.0.sceneIdx: must be below 1, the number of scenes that project {v2_key} has"
    assert charges(system) == before


def test_an_edit_of_a_template_that_is_gone_is_refused_before_it_is_charged(system: System) -> None:
    before = charges(system)
    update = {"sceneIdx": 0, "property": "clips", "values": {}}
    hooks = [{"type": "http", "url": system.hook_endpoint.url}]
    one = system.enqueue({"kind": "v2_edit", "project_id": "nowhere", "updates": [update], "hooks": hooks})
    assert take(system, {one})[one]["state"] == "failed"
    assert charges(system) == before
