"""The kinds besides `project`: their fields, their errors, the body that each one's call gets."""

from __future__ import annotations

import pytest

from harness.requests import build

PROJECT = "65fa6b07dca2e367461a2925"
UPDATE = {"sceneIdx": 0, "type": "aiModel", "values": {"script": "New words."}}
SIMPLE = {"language": "en", "text": "Hi.", "model": "M1", "clothes": "B1"}
SPOKEN = {"language": "en", "text": "Hi.", "model": "M1"}
V2_AVATAR = {"script": "Hi", "model": "ysy", "clothes": "1", "locationX": -0.28, "locationY": 0}
V2_UPDATES = [
    {"sceneIdx": 0, "property": "AIModel", "values": {"script": "New words."}},
    {"sceneIdx": 1, "property": "clips", "clipType": "image", "clipIdx": 0, "values": {"locationX": 0, "odd": 1.0}},
]
HOOK = "https://our.test/hook"


@pytest.mark.contradiction(3)
@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"kind": "edit", "project_id": PROJECT, "updates": {"value": [UPDATE]}}, {"updates": {"value": [UPDATE]}}),
        ({"kind": "edit", "projectId": PROJECT, "updates": [UPDATE]}, {"updates": {"value": [UPDATE]}}),
        (
            {"kind": "edit", "payload": {"projectId": PROJECT, "updates": [UPDATE], "resolution": 480, "odd": 1}},
            {"updates": {"value": [UPDATE]}, "resolution": "480", "odd": 1},
        ),
        ({"kind": "export", "project_id": PROJECT}, {"projectId": PROJECT}),
        (
            {"kind": "export", "payload": {"projectId": PROJECT}, "resolution": "4k", "workspaceId": "w"},
            {"projectId": PROJECT, "resolution": "4k", "workspaceId": "w"},
        ),
        ({"kind": "simple_video", **SIMPLE}, SIMPLE),
        ({"kind": "simple_video", "payload": {**SIMPLE, "isExport": True, "odd": None}}, {**SIMPLE, "odd": None}),
        (
            {"kind": "simple_video", "payload": {"text": "Hi."}, "language": "en", "model": "M1", "clothes": "B1"},
            SIMPLE,
        ),
        ({"kind": "simple_custom", **SPOKEN}, SPOKEN),
        (
            {"kind": "simple_custom", "payload": {**SPOKEN, "isExport": True, "odd": 1}, "resolution": 720},
            {**SPOKEN, "odd": 1, "resolution": "720"},
        ),
    ],
)
def test_a_call_with_a_webhook(load, request_, body):
    loaded = load(request_)
    assert build(loaded) == body
    assert build(loaded, webhook_url=HOOK) == {**body, "webhookUrl": HOOK}


@pytest.mark.contradiction(15)
@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"kind": "template", "template_id": "t1"}, {"name": "n"}),
        (
            {"kind": "template", "template_id": "t1", "aiName": "M1", "clothId": "B1", "workspace_id": "w"},
            {"name": "n", "aiName": "M1", "clothId": "B1", "workspaceId": "w"},
        ),
        (
            {"kind": "template", "template_id": "t1", "model": "M1", "clothes": "B1"},
            {"name": "n", "aiName": "M1", "clothId": "B1"},
        ),
        # The spellings of the vendor's samples (contradiction 15): the table's names are sent.
        (
            {"kind": "template", "payload": {"templateId": "t1", "model": "M1", "clothes": "B1"}},
            {"name": "n", "aiName": "M1", "clothId": "B1"},
        ),
        (
            {"kind": "template", "payload": {"templateId": "t1", "aiName": "M1", "model": None, "clothes": "B1"}},
            {"name": "n", "aiName": "M1", "clothId": "B1"},
        ),
        (
            {"kind": "template", "payload": {"templateId": "t1", "name": "x", "webhookUrl": "https://mine.test",
                                             "odd": 1}, "resolution": 720},
            {"name": "n", "odd": 1},
        ),
        ({"kind": "v2_project", "scenes": [{"AIModel": V2_AVATAR}]}, {"scenes": [{"AIModel": V2_AVATAR}]}),
        ({"kind": "audio", **SPOKEN, "tts": {"voice": 1}}, {**SPOKEN, "tts": {"voice": 1}}),
        ({"kind": "audio", "payload": {**SPOKEN, "odd": 1.0}}, {**SPOKEN, "odd": 1.0}),
        ({"kind": "v2_edit", "project_id": PROJECT, "updates": V2_UPDATES}, {"updates": V2_UPDATES}),
        ({"kind": "v2_edit", "payload": {"projectId": PROJECT, "updates": V2_UPDATES[:1], "odd": 1}},
         {"updates": V2_UPDATES[:1], "odd": 1}),
    ],
)  # fmt: skip
def test_a_call_without_a_webhook(load, request_, body):
    assert build(load(request_), webhook_url=HOOK) == body


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        ({"kind": "v2_simple_video", **SIMPLE}, SIMPLE),
        (
            {"kind": "v2_simple_video", "payload": {**SIMPLE, "webhook": "https://mine.test"}, "uppercut": 0.5},
            {**SIMPLE, "webhook": "https://mine.test", "uppercut": 0.5},
        ),
        # The table requires clothes of speech too; no sample of it has them (contradiction 33).
        ({"kind": "v2_simple_audio", **SPOKEN, "locale": "zh"}, {**SPOKEN, "locale": "zh"}),
        ({"kind": "v2_simple_audio", "payload": SIMPLE}, SIMPLE),
    ],
)
def test_simple_calls_of_v2_name_their_webhook_in_their_own_way(load, request_, body):
    loaded = load(request_)
    assert build(loaded) == body
    assert build(loaded, webhook_url=HOOK) == {**body, "webhook": HOOK}


def test_the_callers_webhook_is_kept_where_there_is_no_other(load):
    loaded = load({"kind": "export", "payload": {"projectId": PROJECT, "webhookUrl": "https://mine.test"}})
    assert build(loaded)["webhookUrl"] == "https://mine.test"
    assert build(loaded, webhook_url=HOOK)["webhookUrl"] == HOOK


def test_the_id_that_a_call_acts_on_is_kept_apart(load):
    assert load({"kind": "edit", "project_id": PROJECT, "updates": [UPDATE]}).body["project_id"] == PROJECT
    assert load({"kind": "template", "payload": {"templateId": "t1"}}).body["template_id"] == "t1"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"kind": "edit"}, {"project_id": ["is required"], "updates": ["is required"]}),
        (
            {"kind": "edit", "payload": {"webhookUrl": None}},
            {"project_id": ["is required"], "payload.updates": ["is required"]},
        ),
        ({"kind": "edit", "project_id": PROJECT, "updates": []}, {"updates": ["must have at least one entry"]}),
        ({"kind": "edit", "project_id": PROJECT, "updates": {}}, {"updates.value": ["is required"]}),
        ({"kind": "edit", "project_id": PROJECT, "updates": "x"}, {"updates": ["must be an object"]}),
        ({"kind": "edit", "project_id": PROJECT, "updates": [{"type": "image"}]},
         {"updates.0.sceneIdx": ["is required"], "updates.0.values": ["is required"]}),
        ({"kind": "export"}, {"project_id": ["is required"]}),
        ({"kind": "export", "project_id": "../../auth"}, {"project_id": ["must be 1 to 128 letters, digits, - or _"]}),
        ({"kind": "export", "payload": {"projectId": 7}}, {"payload.projectId": ["must be a string"]}),
        (
            {"kind": "export", "project_id": "a", "projectId": "b", "payload": {"projectId": "a"}},
            {"projectId": ["differs from project_id: give it once"]},
        ),
        ({"kind": "export", "project_id": "a", "orientation": "portrait"}, {"orientation": ["unknown field"]}),
        ({"kind": "template"}, {"template_id": ["is required"]}),
        ({"kind": "template", "template_id": "t1", "aiName": 1}, {"aiName": ["must be a string"]}),
        ({"kind": "template", "template_id": "t1", "model": 1}, {"model": ["must be a string"]}),
        (
            {"kind": "template", "template_id": "t1", "model": "M1", "aiName": "M2"},
            {"model": ["differs from aiName: give it once"]},
        ),
        (
            {"kind": "template", "payload": {"templateId": "t1", "clothId": "B1", "clothes": "B2"}},
            {"payload.clothes": ["differs from clothId: give it once"]},
        ),
        ({"kind": "simple_video", "model": "M1", "clothes": ""},
         {"clothes": ["may not be empty"], "language": ["is required"], "text": ["is required"]}),
        (
            {"kind": "simple_video", "payload": {**SIMPLE, "isExport": 0, "ttsType": 1}},
            {"payload.isExport": ["must be true or false"], "payload.ttsType": ["must be an object"]},
        ),
        (
            {"kind": "simple_video", "payload": {**SIMPLE, "isExport": False}, "export": True},
            {"export": ["differs from payload.isExport: give it once"]},
        ),
        (
            {"kind": "export", "project_id": "a", "export": False},
            {"export": ["must be true or left out: a render of kind export has no draft"]},
        ),
        (
            {"kind": "simple_custom", "model": 7, "text": " "},
            {"language": ["is required"], "model": ["must be a string"], "text": ["may not be empty"]},
        ),
        ({"kind": "audio", **SPOKEN, "clothes": "B1"}, {"clothes": ["unknown field"]}),
        ({"kind": "audio", **SPOKEN, "tts": "x"}, {"tts": ["must be an object"]}),
        ({"kind": "v2_simple_video", **SPOKEN}, {"clothes": ["is required"]}),
        (
            {"kind": "v2_simple_video", "payload": {**SIMPLE, "uppercut": "1", "webhook": ""}},
            {"payload.uppercut": ["must be a number"], "payload.webhook": ["must be an http or https URL"]},
        ),
        ({"kind": "v2_simple_audio"}, {name: ["is required"] for name in SPOKEN}),
        ({"kind": "v2_edit"}, {"project_id": ["is required"], "updates": ["is required"]}),
        ({"kind": "v2_edit", "project_id": PROJECT, "updates": []}, {"updates": ["must have at least one entry"]}),
        (
            {"kind": "v2_edit", "project_id": PROJECT, "updates": [{"sceneIdx": -1, "property": "avatar"}]},
            {
                "updates.0.property": ["must be one of AIModel, clips, not 'avatar'"],
                "updates.0.sceneIdx": ["must be at least 0"],
                "updates.0.values": ["is required"],
            },
        ),
        (
            {"kind": "v2_edit", "project_id": PROJECT, "updates": [
                {**V2_UPDATES[0], "values": {"script": " "}}, {**V2_UPDATES[1], "clipIdx": -1},
                {**V2_UPDATES[1], "values": {"locationX": "0"}},
            ]},
            {
                "updates.0.values.script": ["may not be empty"],
                "updates.1.clipIdx": ["must be at least 0"],
                "updates.2.values.locationX": ["must be a number"],
            },
        ),
        ({"kind": "v2_project"}, {"scenes": ["is required"]}),
        ({"kind": "v2_project", "payload": {}}, {"payload.scenes": ["is required"]}),
        ({"kind": "v2_project", "scenes": [{}]}, {"scenes.0.AIModel": ["is required in a scene without clips"]}),
        ({"kind": "v2_project", "scenes": [{"AIModel": {**V2_AVATAR, "script": None, "locationX": "0"}}]},
         {"scenes.0.AIModel.locationX": ["must be a number"], "scenes.0.AIModel.script": ["may not be null"]}),
        ({"kind": "v2_project", "payload": {"scenes": [{"clips": [{"type": "image", "detail": {}}]}]}},
         {"payload.scenes.0.clips.0.detail.url": ["is required"]}),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_where_the_caller_wrote_it(errors, request_, expected):
    assert errors(request_) == expected


@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"type": "image", "values": {"opacity": 101}}, "values.opacity"),
        ({"type": "textImage", "values": {"text": None}}, "values.text"),
        ({"type": "shape", "values": {"shapeName": "Blob"}}, "values.shapeName"),
        ({"type": "shape", "values": {"shadow": {"blur": 11}}}, "values.shadow.blur"),
        ({"type": "aiModel", "values": {"script": " "}}, "values.script"),
        ({"type": "aiModel", "values": {"script": 7}}, "values.script"),
        ({"type": "sticker", "values": {}}, "type"),
        ({"type": "image", "values": []}, "values"),
        ({"type": "image", "values": {}, "sceneIdx": -1}, "sceneIdx"),
    ],
)
def test_a_wrong_update_is_named(errors, update, path):
    found = errors({"kind": "edit", "project_id": PROJECT, "updates": {"value": [{"sceneIdx": 0, **update}]}})
    assert list(found) == [f"updates.value.0.{path}"]


@pytest.mark.contradiction(4)
@pytest.mark.parametrize(
    "update",
    [
        {"type": "aiModel", "values": {"script": "Plain."}},
        {"type": "aiModel", "values": {"script": {"org": "Object.", "tts": None}, "model": {"emotion": "B2"}}},
        {"type": "textImage", "values": {"text": "x", "fontSize": 100, "odd": 1.0}},
        {"type": "background", "values": {"source_url": "/images/b.png"}},
        {"type": "audio", "values": {"volume": 1}},
    ],
)
def test_a_right_update_is_taken(errors, update):
    assert errors({"kind": "edit", "project_id": PROJECT, "updates": [{"sceneIdx": 1, **update}]}) == {}


@pytest.mark.contradiction(32)
def test_v2_is_lenient_where_the_vendors_samples_are(errors):
    clips = [
        {"type": "background", "detail": {"url": "https://example.com/b.png"}},
        {"type": "userVideo", "detail": {"url": "https://example.com/v.mp4", "scaleX": 1, "scaleY": 1}},
        {"type": "text", "detail": {"textSource": "Hi", "layer": 501}},
    ]
    assert errors({"kind": "v2_project", "scenes": [{"clips": clips}, {"AIModel": V2_AVATAR, "clips": None}]}) == {}
