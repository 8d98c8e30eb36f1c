"""Pick lists, generators, and calls that the vendor has withdrawn."""

from typing import Any

import pytest
import requests
from sandbox_client import V3, Caller


@pytest.mark.contradiction(19, 29)
def test_template_lists(caller: Caller) -> None:
    business = caller.data("GET", "/dropdown/templates_business")
    assert {frozenset(entry) for entry in business} == {frozenset({"id", "name"})}
    assert caller.call("POST", f"/editor/template/{business[0]['id']}", {}).status_code == 200
    headers, path = {"Authorization": caller.token}, f"{V3}/dropdown/templates_automation"
    wish = {"category": "business", "fileBackground": "true"}
    answers = [
        caller.emulator.call("POST", path, headers=headers, **how).json()["data"]
        for how in ({"params": wish}, {"json": wish}, {"data": wish}, {"json": {"params": wish}})
    ]
    assert answers == [answers[0]] * 4
    assert {frozenset(entry) for entry in answers[0]} == {frozenset({"id", "name", "thumbnailUrl"})}
    mobile = caller.data("POST", "/dropdown/templates_automation", {"category": "social", "orientation": "mobile"})
    body = {"topic": "Bees", "options": {"templateId": mobile[0]["id"]}}
    made = caller.data("POST", "/automation/topic_to_video", body)["projectId"]
    assert caller.data("GET", f"/editor/project/{made}")["project"]["orientation"] == "portrait"
    for wrong in ({}, {"category": "news"}, {"category": []}, {"category": "social", "orientation": "landscape"}):
        assert caller.call("POST", "/dropdown/templates_automation", wrong).status_code == 400


PERSON = {"url": "https://example.com/me.mp4", "name": "Me", "gender": "FEMALE"}
VOICE = {"script": "Hi", "model": "m", "type": "google", "language": "en"}


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("image-generator", {"topic": "bees", "style": "3D", "size": "SQUARE"}, "image/png"),
        ("video-generator", {"topic": "bees"}, "video/mp4"),
        ("voice-generator", VOICE, "audio/wav"),
    ],
)
def test_generators_of_files(caller: Caller, path: str, body: Any, kind: str) -> None:
    url = caller.data("POST", f"/tools/{path}", body)["downloadUrl"]
    file = requests.get(url, timeout=30)
    assert (file.status_code, file.headers["Content-Type"]) == (200, kind)
    assert caller.call("POST", f"/tools/{path}", {}).status_code == 400
    assert caller.emulator.control("GET", "stats")["credits"] == 0


def test_text_and_avatars(caller: Caller) -> None:
    assert "bees" in caller.data("POST", "/tools/text-generator", {"topic": "bees"})["script"]
    assert set(caller.data("POST", "/avatars/customavatar", PERSON)) == {"avatarId", "voiceId"}
    assert set(caller.data("POST", "/avatars/dreamavatar", {**PERSON, "tts": None})) == {"avatarId"}
    assert set(caller.data("POST", "/avatars/voiceclone", {**PERSON, "locale": "ko"})) == {"voiceId"}
    for path in ("customavatar", "dreamavatar", "voiceclone"):
        answer = caller.call("POST", f"/avatars/{path}", {**PERSON, "gender": "male"})
        assert "gender: must be one of FEMALE, MALE" in answer.json()["error"]["msg"]


def test_faults_of_generators(caller: Caller) -> None:
    body = {"topic": "[sandbox:500@tool]"}
    assert [caller.call("POST", "/tools/image-generator", body).status_code for _ in range(2)] == [500, 200]


@pytest.mark.parametrize("path", ["project/modify", "template/modify"])
def test_withdrawn_calls_say_so(caller: Caller, path: str) -> None:
    answer = caller.call("POST", f"/editor/{path}", {"projectId": "x", "updates": {"title": "t"}})
    assert answer.status_code == 404
    assert "withdrawn" in answer.json()["error"]["msg"]
