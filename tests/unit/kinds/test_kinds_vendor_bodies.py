"""The vendor's own bodies go through untouched, and what is wrong in one is named by its path."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.requests import build
from renderline.kinds import KINDS
from renderline.requests import RequestRefused, as_request

SAMPLES = [
    *("v2-seed-minimal", "v3-create-project-1.6", "v3-edit-project"),
    *("v3-seed-landscape", "v3-simple-video", "v3-two-scenes"),
]
PROJECT = "65fa6b07dca2e367461a2925"
CLIP = {"id": "c", "layer": 2, "top": 0, "left": -4.6, "height": 270, "width": 480}
IMAGE = {**CLIP, "type": "image", "source_url": "https://example.com/a.png"}
SHAPE = {**CLIP, "type": "shape", "shapeName": "Star", "fill": "#fff"}
TEXT = {**CLIP, "type": "textImage", "text": "Hi", "fill": "#fff", "fontSize": 7.5}
VIDEO = {**CLIP, "type": "videoImage", "video_url": "https://example.com/a.mp4"}
AUDIO = {"id": "c", "layer": 0, "type": "audio", "source_url": "https://example.com/a.mp3", "label": "a.mp3"}
FADE = {"type": "fade-in", "duration": 1, "delay": 0}
SCRIPT = {"org": "Hi.", "isTTS": False, "tts": None, "modelId": "M1", "clothId": "B1"}


def avatar(**fields: Any) -> dict[str, Any]:
    return {**CLIP, "id": "a", "type": "aiModel", "model": {"ai_name": "M1", "emotion": "B1"}, **fields}


def project(*clips: Any, scripts: Any = None, **scene: Any) -> dict[str, Any]:
    spoken = {} if scripts is None else {"scripts": scripts}
    return {
        "kind": "project",
        "payload": {"scenes": [{"sceneIdx": 0, "background": {}, "clips": list(clips), **spoken, **scene}]},
    }


def encoded(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("name", SAMPLES)
def test_the_vendors_samples_come_out_as_they_went_in(load, example, name):
    body = example(f"{name}.json")
    request = as_request(body)
    loaded = load(request)
    ours = ("isExport", "projectId")
    expected = {field: value for field, value in example(f"{name}.json").items() if field not in ours}
    if request["kind"] == "project":
        expected["name"] = loaded.name
    assert encoded(build(loaded, name=loaded.name, webhook_url=None)) == encoded(expected)
    if KINDS[request["kind"]].webhook_field:
        hooked = build(loaded, name=loaded.name, webhook_url="https://our.test/hook")
        assert encoded(hooked) == encoded({**expected, "webhookUrl": "https://our.test/hook"})


def test_unknown_fields_pass_and_numbers_stay_as_written(load):
    odd = {"int": 1, "float": 1.0, "long": 367.33333333333337, "tiny": 5e-324, "null": None, "a.b": [{}], "_schema": 1}
    request = project(avatar(script={"org": "Hi.", "odd": odd}, odd=odd, scaleX=1.0), odd=odd)
    request["payload"]["odd"] = odd
    body = build(load(request))
    assert encoded(body) == encoded({**request["payload"], "name": "n"})


@pytest.mark.parametrize(
    ("clip", "field", "message"),
    [
        ({**IMAGE, "opacity": 0}, "opacity", "must be between 1 and 100"),
        ({**IMAGE, "opacity": 50.5}, "opacity", "must be a whole number"),
        ({**IMAGE, "opacity": "50"}, "opacity", "must be a number"),
        ({**IMAGE, "source_url": ""}, "source_url", "may not be empty"),
        ({**IMAGE, "angle": True}, "angle", "must be a number"),
        ({**IMAGE, "layer": 1.5}, "layer", "must be a whole number"),
        ({**IMAGE, "top": None}, "top", "may not be null"),
        ({**IMAGE, "id": 7}, "id", "must be a string"),
        ({**IMAGE, "animation": {**FADE, "type": "spin"}}, "animation.type", "must be one of fade-in, fade-out, in-"),
        ({**IMAGE, "animation": {**FADE, "duration": 31}}, "animation.duration", "must be between 1 and 30"),
        ({**IMAGE, "animation": {**FADE, "delay": -1}}, "animation.delay", "must be between 0 and 30"),
        ({**IMAGE, "animation": {"type": "fade-in", "delay": 1}}, "animation.duration", "is required"),
        ({**IMAGE, "animation": []}, "animation", "must be an object"),
        ({**SHAPE, "shapeName": "Blob"}, "shapeName", "must be one of Line_v2, Arrow_1_v2"),
        ({**SHAPE, "fill": None}, "fill", "may not be null"),
        ({**SHAPE, "shadow": {"blur": 11}}, "shadow.blur", "must be between 0 and 10"),
        ({**SHAPE, "shadow": {"offsetX": 0}}, "shadow.offsetX", "must be between 0.1 and 10"),
        ({**SHAPE, "shadow": {"enabled": 1}}, "shadow.enabled", "must be true or false"),
        ({**TEXT, "fontSize": "12"}, "fontSize", "must be a number"),
        ({**TEXT, "fontWeight": []}, "fontWeight", "must be a number or a string"),
        ({**TEXT, "underline": "yes"}, "underline", "must be true or false"),
        ({key: TEXT[key] for key in TEXT if key != "text"}, "text", "is required"),
        ({**VIDEO, "volume": 0}, "volume", "must be between 1 and 100"),
        ({**VIDEO, "video_url": None}, "video_url", "may not be null"),
        ({**AUDIO, "volume": 101}, "volume", "must be between 1 and 100"),
        ({key: AUDIO[key] for key in AUDIO if key != "label"}, "label", "is required"),
        (avatar(script={"org": "Hi."}, model={"ai_name": "M1"}), "model.emotion", "is required"),
        (avatar(script={"tts": None}), "script.org", "is required"),
        (avatar(script={"org": "Hi.", "tts": "x"}), "script.tts", "must be an object"),
        (avatar(script="Hi."), "script", "must be an object"),
        (
            {**CLIP, "type": "sticker"},
            "type",
            "must be one of aiModel, shape, image, textImage, videoImage, audio, not",
        ),
        (CLIP, "type", "is required"),
        ("clip", "", "must be an object"),
    ],
)
def test_a_wrong_clip_is_named(errors, clip, field, message):
    found = errors(project(IMAGE | {"id": "other"}, clip))
    assert list(found) == ["payload.scenes.0.clips.1" + (field and f".{field}")]
    assert next(iter(found.values()))[0].startswith(message)


@pytest.mark.contradiction(25)
@pytest.mark.parametrize(
    "clip",
    [
        *(IMAGE, SHAPE, TEXT, VIDEO, AUDIO),
        {**IMAGE, "opacity": 1, "animation": {"type": "zoom-out", "duration": 30, "delay": 30}, "angle": -90.5},
        {**SHAPE, "shadow": {"blur": 0, "offsetX": 0.1, "offsetY": 10, "color": "#00000060"}, "stroke": ""},
        {**TEXT, "fontWeight": "", "fontStyle": "italic", "shadow": None, "animation": None, "tag": None},
        {**TEXT, "fontWeight": 700, "text": ""},
        {**VIDEO, "volume": 100, "opacity": 100.0, "source_url": None},
        {**AUDIO, **CLIP},
    ],
)
def test_a_right_clip_is_taken(errors, clip):
    assert errors(project(clip)) == {}


@pytest.mark.contradiction(2)
@pytest.mark.parametrize(
    ("clips", "scripts"),
    [
        ([avatar(script={"org": "Hi."})], None),
        ([avatar(script={"org": "Hi.", "tts": {"any": 1}})], []),
        ([avatar()], [SCRIPT]),
        ([avatar(script={"org": ""})], [SCRIPT]),
        ([avatar()], [{**SCRIPT, "isTTS": True, "tts": {"voice": "v"}}]),
        ([avatar()], [SCRIPT, {**SCRIPT, "org": "Bye."}]),
        ([avatar(), avatar(id="b", model={"ai_name": "M2", "emotion": "B2"}, script={"org": "Me."})], [SCRIPT]),
        ([avatar(isDelete=True)], None),
        ([avatar(isDelete=True, script={"org": ""})], [{**SCRIPT, "org": ""}]),
        ([IMAGE], None),
        ([], []),
    ],
)
def test_every_form_of_speech_is_taken(errors, clips, scripts):
    assert errors(project(*clips, scripts=scripts)) == {}


NO_SCRIPT = "is required: no entry of the scene's scripts is for this avatar"


@pytest.mark.parametrize(
    ("clips", "scripts", "expected"),
    [
        ([avatar()], None, {"clips.0.script": [NO_SCRIPT]}),
        ([avatar(isDelete=False)], [], {"clips.0.script": [NO_SCRIPT]}),
        (
            [avatar(script={"org": " "})],
            None,
            {"clips.0.script": ["may not be empty: no entry of the scene's scripts is for this avatar"]},
        ),
        (
            [avatar()],
            [{**SCRIPT, "org": ""}],
            {"scripts.0.org": ["may not be empty: an avatar of this scene speaks it"]},
        ),
        (
            [avatar()],
            [SCRIPT, {**SCRIPT, "modelId": "M9"}],
            {"scripts.1.modelId": ["unknown reference 'M9'; the avatars of this scene have: 'M1'"]},
        ),
        (
            [avatar()],
            [SCRIPT, {**SCRIPT, "clothId": "B9"}],
            {"scripts.1.clothId": ["unknown reference 'B9'; the avatars of this scene have: 'B1'"]},
        ),
        (
            [IMAGE],
            [{**SCRIPT, "modelId": "a script, not an id"}],
            {"scripts.0.modelId": ["unknown reference; the avatars of this scene have: none"]},
        ),
        (
            [avatar()],
            [{"org": "Hi."}],
            {
                "scripts.0.isTTS": ["is required"],
                "scripts.0.tts": ["is required"],
                "scripts.0.modelId": ["is required"],
                "scripts.0.clothId": ["is required"],
                "clips.0.script": [NO_SCRIPT],
            },
        ),
        ([avatar()], [{**SCRIPT, "isTTS": True}], {"scripts.0.tts": ["must be an object when isTTS is true"]}),
        ([avatar()], [{**SCRIPT, "tts": {}}], {"scripts.0.tts": ["must be null when isTTS is false"]}),
        ([avatar(script={"org": "Hi."})], {}, {"scripts": ["must be a list"]}),
        ([IMAGE, SHAPE], None, {"clips.1.id": ["is used twice in this scene"]}),
        ([avatar(), "x"], None, {"clips.0.script": [NO_SCRIPT], "clips.1": ["must be an object"]}),
    ],
)
def test_wrong_speech_is_named(errors, clips, scripts, expected):
    assert errors(project(*clips, scripts=scripts)) == {
        f"payload.scenes.0.{path}": said for path, said in expected.items()
    }


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"scenes": []}, "payload.scenes", "must have at least one entry"),
        ({"scenes": None}, "payload.scenes", "may not be null"),
        ({"scenes": [[]]}, "payload.scenes.0", "must be an object"),
        ({"orientation": "square"}, "payload.orientation", "must be one of landscape, portrait, not 'square'"),
        ({"resolution": 1081}, "payload.resolution", "must be one of 4k, 1080, 720, 480, not '1081'"),
        ({"isExport": "no"}, "payload.isExport", "must be true or false"),
        ({"name": 7}, "payload.name", "must be a string"),
        ({"webhookUrl": 1}, "payload.webhookUrl", "must be a string"),
        ({"dictionary": []}, "payload.dictionary", "must be an object"),
    ],
)
def test_a_wrong_field_of_the_project_is_named(errors, example, fields, path, message):
    found = errors({"kind": "project", "payload": {**example("v3-seed-landscape.json"), **fields}})
    assert found == {path: [message]}


def test_a_scene_needs_its_parts(errors):
    assert errors({"kind": "project", "payload": {"scenes": [{}]}}) == {
        "payload.scenes.0.background": ["is required"],
        "payload.scenes.0.clips": ["is required"],
        "payload.scenes.0.sceneIdx": ["is required"],
    }
    assert list(errors(project(sceneIdx=0.5, background=[]))) == [
        "payload.scenes.0.background",
        "payload.scenes.0.sceneIdx",
    ]


def test_a_number_is_taken_as_resolution_and_sent_as_text(load, example):
    body = {**example("v3-seed-landscape.json"), "resolution": 1080}
    assert build(load({"kind": "project", "payload": body}))["resolution"] == "1080"


def test_fields_at_the_top_join_the_payload(load, errors, example):
    body = example("v3-seed-landscape.json")
    loaded = load({"kind": "project", "payload": body, "resolution": 720, "workspace_id": "w"})
    assert build(loaded) == {
        **body, "name": "n", "resolution": "720", "workspaceId": "w"
    }  # fmt: skip
    assert errors({"kind": "project", "payload": body, "orientation": "portrait", "resolution": "1080p"}) == {
        "orientation": ["differs from payload.orientation: give it once"],
        "resolution": ["must be one of 4k, 1080, 720, 480, not '1080p'"],
    }


def test_a_large_broken_body_gets_a_readable_answer(load):
    clips = [avatar(id=str(at), model={"ai_name": f"M{at}", "emotion": "B"}) for at in range(500)]
    scripts = [{**SCRIPT, "modelId": f"X{at}"} for at in range(500)]
    with pytest.raises(RequestRefused) as refused:
        load(project(*clips, scripts=scripts))
    assert len(refused.value.errors) == 201
    assert refused.value.errors["request"] == ["has 800 more wrong fields, not listed"]
    assert len(str(refused.value)) < 100_000


def test_a_long_list_of_wrong_entries_is_not_read_to_its_end(errors):
    found = errors({"kind": "project", "payload": {"scenes": [1] * 1000}})
    assert found.pop("payload.scenes") == ["has 100 wrong entries up to here, the rest was not checked"]
    assert found == {f"payload.scenes.{at}": ["must be an object"] for at in range(100)}
