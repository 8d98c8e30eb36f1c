"""Kind detection: which kind of render a bare vendor body is."""

from __future__ import annotations

import dataclasses

import pytest

from renderline.kinds import KINDS
from renderline.kinds.body_traits import simple_apis
from renderline.requests import RequestRefused, as_request, detection

PROJECT = "65fa6b07dca2e367461a2925"
UPDATE = {"sceneIdx": 0, "type": "aiModel", "values": {"script": "New words."}}
SIMPLE = {"language": "en", "text": "Hi.", "model": "M1", "clothes": "B1"}
SPOKEN = {"language": "en", "text": "Hi.", "model": "M1"}
V3_SCENE = {"sceneIdx": 0, "clips": [], "background": {}}
V2_SCENE = {"AIModel": {}}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"projectId": PROJECT, "resolution": "720"}, "export"),
        ({"templateId": "t1", "aiName": "M1"}, "template"),
        ({"projectId": PROJECT, "updates": [UPDATE]}, "edit"),
        ({"scenes": [{"clips": [{"type": "text", "detail": {}}]}]}, "v2_project"),
        ({"scenes": [{"sceneIdx": 0, "clips": [], "background": {}}]}, "project"),
        ({**SIMPLE, "isExport": True}, "simple_video"),
        ({"scenes": [V3_SCENE], "updates": [], "templateId": "t1", "text": "x", "model": "m"}, "project"),
        ({"scenes": [1, {}, V2_SCENE, V3_SCENE]}, "v2_project"),
        ({**SPOKEN, "webhookUrl": "https://a.test"}, "simple_custom"),
        ({**SPOKEN, "isExport": False}, "simple_custom"),
        ({**SPOKEN, "tts": {}}, "audio"),
        ({**SIMPLE, "webhook": "https://a.test"}, "v2_simple_video"),
        ({**SPOKEN, "uppercut": 1}, "v2_simple_video"),
        ({**SPOKEN, "webhook": "https://a.test"}, "v2_simple_audio"),
        ({"updates": {}, "templateId": "t1", "projectId": "p"}, "edit"),
        ({"updates": [1, {"property": "clips"}], "projectId": "p"}, "v2_edit"),
        ({**SIMPLE, "templateId": "t1"}, "template"),
    ],
)
def test_a_vendor_body_is_recognised(body, kind):
    assert as_request(body) == {"kind": kind, "payload": body}


def test_a_request_stays_a_request():
    request = {"kind": "export", "project_id": PROJECT}
    assert as_request(request) is request


@pytest.mark.parametrize(
    "body",
    [None, [], "x", {}, {"scenes": []}, {"scenes": [1]}, {"scenes": {}}, {"scenes": [{"script": "Hi."}]}, {"a": 1}],
)
def test_anything_else_is_not_recognised(body):
    with pytest.raises(RequestRefused, match=r"^request: "):
        as_request(body)


def test_a_body_of_two_kinds_is_not_guessed(monkeypatch):
    kinds = {name: dataclasses.replace(KINDS[name], matches=lambda body: True) for name in ("edit", "template")}
    monkeypatch.setattr(detection, "KINDS", kinds)
    with pytest.raises(RequestRefused, match="kind: is required: the body could be of the kinds edit, template"):
        as_request({"anything": 1})


@pytest.mark.parametrize(
    ("more", "api"),
    [
        ({"isExport": True}, "v3"),
        ({"webhookUrl": "https://a.test"}, "v3"),
        ({"resolution": "720"}, "v3"),
        ({"workspaceId": "w"}, "v3"),
        ({"ttsType": {}}, "v3"),
        ({"webhook": "https://a.test"}, "v2"),
        ({"locale": "zh"}, "v2"),
        ({"uppercut": 1}, "v2"),
    ],
)
def test_a_simple_video_is_recognised_by_the_fields_that_one_api_alone_has(more, api):
    assert simple_apis({**SIMPLE, **more}) == {api}
    matching = {name for name, kind in KINDS.items() if kind.matches({**SIMPLE, **more})}
    assert matching <= ({"simple_video"} if api == "v3" else {"v2_simple_video"})


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        (SPOKEN, "audio, simple_custom, v2_simple_audio"),
        (SIMPLE, "simple_video, v2_simple_video"),
        ({"projectId": "p", "updates": [{"sceneIdx": 0}]}, "edit, v2_edit"),
        ({"projectId": "p", "updates": [UPDATE, {"property": "clips"}]}, "edit, v2_edit"),
    ],
)
def test_a_body_that_several_calls_could_take_needs_its_kind(body, kinds):
    with pytest.raises(RequestRefused) as refused:
        as_request(body)
    assert refused.value.errors == {"kind": [f"is required: the body could be of the kinds {kinds}"]}


def test_a_simple_video_that_either_api_could_make_needs_its_kind():
    assert simple_apis(SIMPLE) == {"v3", "v2"}
    assert simple_apis({**SIMPLE, "webhook": "https://a.test", "isExport": True}) == set()
    with pytest.raises(RequestRefused):
        as_request({**SIMPLE, "webhook": "https://a.test", "isExport": True})
    with pytest.raises(RequestRefused, match=r"kind: is required: .*simple_video"):
        as_request(SIMPLE)
