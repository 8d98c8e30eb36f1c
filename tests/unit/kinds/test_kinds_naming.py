"""What a request names that the vendor has lists of, with the path that its caller wrote."""

from __future__ import annotations

import pytest

from harness import a_request, example
from renderline.kinds import KINDS, load_body, named_in

LOOK = {"model": "M1", "clothes": "C1"}


def named(request, *, paths=True):
    kind = KINDS[request["kind"]]
    found = named_in(kind, load_body(kind, request)[0], request if paths else None)
    return [(one.what, one.id, one.path) for one in found]


def test_a_compact_project_names_the_avatar_of_each_scene_and_each_thing_once():
    request = a_request(workspace_id="W1")
    request["scenes"] = [{"script": "Hi.", "avatar": {"model": m, "clothes": c}} for m, c in (("A", "B"), ("A", "C"))]
    assert named(request) == [
        ("model", "A", "scenes.0.avatar.model"),
        ("clothes", "B", "scenes.0.avatar.clothes"),
        ("clothes", "C", "scenes.1.avatar.clothes"),
        ("workspace", "W1", "workspace_id"),
    ]


def test_a_vendor_body_names_them_in_its_clips_and_scripts():
    payload = example("v3-create-project-1.6.json")
    found = named({"kind": "project", "payload": {**payload, "workspaceId": "W1"}})
    avatar = payload["scenes"][0]["scripts"][0]
    assert found[:2] == [
        ("model", avatar["modelId"], "payload.scenes.0.scripts.0.modelId"),
        ("clothes", avatar["clothId"], "payload.scenes.0.scripts.0.clothId"),
    ]
    assert found[-1] == ("workspace", "W1", "payload.workspaceId")


def test_the_look_of_a_deleted_avatar_is_nothing_that_is_named():
    payload = example("v3-two-scenes.json")
    clips = [clip for scene in payload["scenes"] for clip in scene["clips"] if clip["type"] == "aiModel"]
    deleted = [clip for clip in clips if clip.get("isDelete")]
    assert deleted
    for clip in deleted:
        clip["model"] = {**clip["model"], "ai_name": "GONE", "emotion": "GONE"}
    assert "GONE" not in str(named({"kind": "project", "payload": payload}))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            {"kind": "simple_video", "language": "en", "text": "Hi.", **LOOK},
            [("model", "M1", "model"), ("clothes", "C1", "clothes")],
        ),
        (
            {"kind": "simple_video", "payload": {"language": "en", "text": "Hi.", **LOOK}},
            [("model", "M1", "payload.model"), ("clothes", "C1", "payload.clothes")],
        ),
        (
            {"kind": "template", "template_id": "T1", "aiName": "M1"},
            [("model", "M1", "aiName"), ("template", "T1", "template_id")],
        ),
        ({"kind": "template", "templateId": "T1"}, [("template", "T1", "templateId")]),
        ({"kind": "template", "payload": {"templateId": "T1"}}, [("template", "T1", "payload.templateId")]),
        (
            {"kind": "topic_video", "topic": "Birds.", "options": {"model": "M1", "templateId": "T1"}},
            [("model", "M1", "options.model"), ("automation template", "T1", "options.templateId")],
        ),
        (
            {"kind": "topic_video", "payload": {"topic": "Birds.", "options": {"model": "M1"}}},
            [("model", "M1", "payload.options.model")],
        ),
        (
            {"kind": "from_project", "project_id": "P1", "replace": [{"scene": 0, "avatar": LOOK}]},
            [("model", "M1", "replace.0.avatar.model"), ("clothes", "C1", "replace.0.avatar.clothes")],
        ),
        ({"kind": "audio", "language": "en", "text": "Hi.", "model": "M1"}, [("model", "M1", "model")]),
        ({"kind": "slides", "file": "https://x/deck.pdf", "workspace_id": "W1"}, [("workspace", "W1", "workspace_id")]),
        ({"kind": "export", "project_id": "P1", "workspace_id": "W1"}, [("workspace", "W1", "workspace_id")]),
    ],
)
def test_the_path_is_the_one_that_the_caller_wrote(request_, expected):
    assert sorted(named(request_)) == sorted(expected)


def test_an_edit_names_the_avatars_that_it_sets():
    values = {"model": {"ai_name": "M1", "emotion": "C1"}}
    updates = [{"sceneIdx": 0, "type": "aiModel", "values": values}]
    found = named({"kind": "edit", "project_id": "P1", "updates": updates})
    assert [(what, one) for what, one, _ in found] == [("model", "M1"), ("clothes", "C1")]


def test_the_vendor_has_no_lists_for_its_v2_api():
    assert named({"kind": "v2_project", "payload": example("v2-seed-minimal.json")}) == []


def test_an_own_avatar_may_be_missing_from_every_list():
    kind = KINDS["simple_custom"]
    body, _ = load_body(kind, {"kind": "simple_custom", "language": "en", "text": "Hi.", "model": "M1"})
    assert [one.custom for one in named_in(kind, body)] == [True]
