"""What a loaded request can do: be stored, be compared, stay silent about its content."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest

from harness import ROOT
from renderline.requests import RequestRefused, load_body_json

EXAMPLES = ROOT / "examples"
COMPACT = json.loads((EXAMPLES / "compact-landscape.json").read_text())
SEED = json.loads((EXAMPLES / "v3-seed-landscape.json").read_text())
PROJECT = "65fa6b07dca2e367461a2925"


def reversed_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reversed_keys(value[key]) for key in reversed(value)}
    return [reversed_keys(each) for each in value] if isinstance(value, list) else value


PAYLOAD = {"kind": "project", "payload": SEED}


@pytest.mark.parametrize("data", [COMPACT, PAYLOAD], ids=["compact", "payload"])
def test_its_body_survives_being_stored_and_nothing_else_is(load, data):
    loaded = load({**data, "metadata": {"order": "A-17"}, "hooks": [{"type": "download"}]})
    stored = loaded.body_json()
    assert load_body_json(stored) == loaded.body
    assert json.loads(stored).keys() == {"body"}


def test_a_body_stored_with_the_whole_request_is_read():
    whole = {"kind": "export", "name": "n", "hooks": [], "metadata": {}, "body": {"project_id": "p", "payload": {}}}
    assert load_body_json(json.dumps(whole)) == {"project_id": "p", "payload": {}}


@pytest.mark.parametrize("data", [COMPACT, PAYLOAD], ids=["compact", "payload"])
def test_key_order_makes_no_difference(load, data):
    one, other = load(data), load(reversed_keys(data))
    assert one.body_json() == other.body_json()
    assert one.fingerprint() == other.fingerprint()
    assert len(one.fingerprint()) == 64


SCENES = [{"script": "Hello.", "avatar": {"model": "M1", "clothes": "B1"}}]
V3 = {name: value for name, value in SEED.items() if name == "scenes"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"kind": "project", "scenes": SCENES}, {"kind": "project", "scenes": SCENES, "orientation": "landscape"}),
        ({"kind": "project", "scenes": SCENES}, {"kind": "project", "scenes": SCENES, "resolution": 1080}),
        ({"kind": "project", "scenes": SCENES}, {"kind": "project", "scenes": SCENES, "hooks": [], "metadata": None}),
        ({"kind": "project", "payload": V3}, {"kind": "project", "payload": V3, "resolution": "1080"}),
        (
            {"kind": "project", "payload": V3, "name": "A", "workspace_id": "w"},
            {"kind": "project", "payload": {**V3, "name": "A", "isExport": True, "orientation": "landscape",
                                            "workspaceId": "w"}},
        ),
        ({"kind": "export", "project_id": PROJECT}, {"kind": "export", "payload": {"projectId": PROJECT}}),
        ({"kind": "export", "project_id": PROJECT}, {"kind": "export", "projectId": PROJECT, "deadline": None}),
        (
            {"kind": "export", "project_id": PROJECT},
            {"kind": "export", "project_id": PROJECT, "payload": {"resolution": None}},
        ),
        (
            {"kind": "project", "scenes": SCENES, "deadline": 60, "metadata": {"n": 1.0}},
            {"kind": "project", "scenes": SCENES, "deadline": 60.0, "metadata": {"n": 1}},
        ),
        (
            {"kind": "edit", "project_id": PROJECT, "updates": [{"sceneIdx": 0, "type": "image", "values": {}}]},
            {"kind": "edit", "project_id": PROJECT,
             "updates": {"value": [{"sceneIdx": 0, "type": "image", "values": {}}]}},
        ),
    ],
)  # fmt: skip
def test_requests_that_mean_the_same_have_one_fingerprint(load, one, other):
    assert load(one).fingerprint() == load(other).fingerprint()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "B"},
        {"priority": "high"},
        {"deadline": 61},
        {"metadata": {"a": True}},
        {"metadata": {"a": 1}},
        {"hooks": [{"type": "download"}]},
        {"account": "events"},
        {"resolution": "720"},
        {"orientation": "portrait"},
        {"scenes": [*SCENES, *SCENES]},
        {"scenes": [{**SCENES[0], "script": "Hello!"}]},
    ],
)
def test_requests_that_differ_have_two(load, change):
    base = {"kind": "project", "scenes": SCENES, "metadata": {"a": 2}}
    assert load(base).fingerprint() != load({**base, **change}).fingerprint()


def test_its_repr_shows_no_content(load):
    loaded = load({**COMPACT, "metadata": {"secret": "yes"}, "hooks": [{"type": "http", "url": "https://hide.test"}]})
    assert repr(loaded) == (
        "RenderRequest(kind='project', name='Welcome aboard', account='default', priority='normal', deadline=3600.0)"
    )


def test_loading_changes_nothing_that_it_was_given(load):
    data = {"kind": "project", "payload": {**SEED, "isExport": True, "resolution": 720}, "name": SEED["name"]}
    before = json.dumps(data)
    load(data)
    assert json.dumps(data) == before


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"kind": "project", "payload": SEED}, "Test Project Using Api"),
        ({"kind": "project", "payload": {**SEED, "name": ""}}, "Untitled"),
        ({"kind": "project", "payload": {**SEED, "name": ""}, "name": "Mine"}, "Mine"),
        ({"kind": "export", "project_id": PROJECT}, f"Export {PROJECT}"),
        ({"kind": "template", "template_id": PROJECT}, f"Template {PROJECT}"),
    ],
)
def test_a_request_has_a_name(load, data, name):
    assert load(data).name == name


def test_two_names_must_agree(load):
    with pytest.raises(RequestRefused, match=r"^name: differs from payload.name: give it once$"):
        load({"kind": "project", "payload": SEED, "name": "Other"})


def test_a_refusal_survives_the_queue():
    refused = RequestRefused({"scenes.0.script": ["is required"], "hooks.1.type": ["unknown", "wrong: both"]})
    assert str(refused).splitlines() == [
        *("scenes.0.script: is required", "hooks.1.type: unknown", "hooks.1.type: wrong: both"),
    ]
    for again in (RequestRefused(*refused.args), pickle.loads(pickle.dumps(refused)), RequestRefused(refused.errors)):
        assert again.errors == refused.errors
        assert str(again) == str(refused)
    assert RequestRefused("no colon here").errors == {"request": ["no colon here"]}
