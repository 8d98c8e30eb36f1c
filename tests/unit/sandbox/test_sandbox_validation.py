"""Validation of v3 and v2 bodies: the vendor's own samples pass, each fault is named by its path."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness import ROOT
from renderline.sandbox import v2_validation
from renderline.sandbox.catalogue import TEMPLATES, from_template
from renderline.sandbox.edits import apply_updates
from renderline.sandbox.responses import Refusal
from renderline.sandbox.samples import samples
from renderline.sandbox.v3_validation import SIMPLE_VIDEO, check, check_create, check_edit

EXAMPLES = ROOT / "examples"


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def scene(body: Any) -> Any:
    return body["scenes"][0]


def clip(body: Any, **fields: Any) -> Any:
    """Add a clip with full geometry."""
    place = {"id": "added", "layer": 2, "top": -1.5, "left": 0, "height": 10, "width": 10.5}
    scene(body)["clips"].append({**place, **fields})
    return body


@pytest.mark.parametrize("name", ["v3-seed-landscape", "v3-two-scenes", "v3-create-project-1.6"])
def test_vendor_samples_pass(name: str) -> None:
    check_create(example(name), lenient=False)


@pytest.mark.parametrize("template_id", TEMPLATES)
def test_own_templates_pass(template_id: str) -> None:
    check_create(from_template(template_id, model=None, clothes=None)[1], lenient=False)


@pytest.mark.parametrize("project_id", samples())
def test_what_the_editor_made_passes(project_id: str) -> None:
    name, _, content = samples()[project_id]
    check_create({"name": name, **content}, lenient=False)


SHADOW = {"color": "#00000060", "blur": 0, "offsetX": 5, "offsetY": 0.1, "enabled": True}
MOVE = {"type": "fade-in", "duration": 1, "delay": 0}
TEXT = {"type": "textImage", "fill": "red", "text": "t", "fontSize": 7.5, "fontWeight": ""}


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "shape", "shapeName": "Star", "fill": "red", "opacity": 1, "shadow": SHADOW, "animation": MOVE},
        {"type": "image", "source_url": "https://x/y.png", "opacity": 100, "animation": MOVE, "unknown": 1},
        {**TEXT, "shadow": SHADOW, "animation": None, "underline": False},
        {"type": "videoImage", "video_url": "https://x/y.mp4", "volume": 1},
        {"type": "audio", "source_url": "https://x/y.mp3", "label": "y", "top": None},
    ],
)
def test_every_clip_type_passes(fields: dict[str, Any]) -> None:
    check_create(clip(example("v3-create-project-1.6"), **fields), lenient=False)


WRONG: list[tuple[Callable[[Any], Any], str]] = [
    (lambda b: b.pop("scenes"), "scenes: is required"),
    (lambda b: b.update(scenes=[]), "scenes: must be an array with at least one entry"),
    (lambda b: b.update(scenes=[7]), "scenes.0: must be an object"),
    (lambda b: b.update(orientation="square"), "orientation: must be one of landscape, portrait"),
    (lambda b: b.update(resolution=1080), "resolution: must be one of"),
    (lambda b: b.update(isExport="false"), "isExport: must be true or false"),
    (lambda b: b.update(webhookUrl="ftp://x"), "webhookUrl: must be an http or https URL"),
    (lambda b: scene(b).pop("sceneIdx"), "scenes.0.sceneIdx: is required"),
    (lambda b: scene(b).pop("background"), "scenes.0.background: is required"),
    (lambda b: scene(b).pop("clips"), "scenes.0.clips: is required"),
    (lambda b: scene(b).pop("scripts"), "scenes.0.clips.0: the avatar has no script"),
    (lambda b: scene(b)["scripts"][0].update(org=" "), "scenes.0.clips.0: the avatar has no script"),
    (lambda b: scene(b)["scripts"][0].update(modelId="M1"), "scenes.0.scripts.0.modelId: no avatar clip"),
    (lambda b: scene(b)["scripts"][0].update(clothId="B1"), "scenes.0.scripts.0.modelId: no avatar clip"),
    (lambda b: scene(b)["scripts"][0].pop("isTTS"), "scenes.0.scripts.0.isTTS: is required"),
    (lambda b: scene(b)["scripts"][0].pop("tts"), "scenes.0.scripts.0.tts: is required"),
    (lambda b: scene(b)["scripts"][0].update(isTTS=True), "scenes.0.scripts.0.tts: must be an object"),
    (lambda b: scene(b)["scripts"][0].update(tts={}), "scenes.0.scripts.0.tts: must be null"),
    (lambda b: scene(b)["clips"][0].update(type="avatar"), "scenes.0.clips.0.type: must be one of"),
    (lambda b: scene(b)["clips"][0].update(layer=1.5), "scenes.0.clips.0.layer: must be a whole number"),
    (lambda b: scene(b)["clips"][0].update(top="1"), "scenes.0.clips.0.top: must be a number"),
    (lambda b: scene(b)["clips"][0].pop("width"), "scenes.0.clips.0.width: is required"),
    (lambda b: scene(b)["clips"][0].pop("model"), "scenes.0.clips.0.model: is required"),
    (lambda b: scene(b)["clips"][0]["model"].pop("emotion"), "scenes.0.clips.0.model.emotion: is required"),
    (lambda b: clip(b, **TEXT, id="aiModel-1h4ij5h8e87"), "scenes.0.clips.1.id: must be unique"),
    (lambda b: clip(b, **TEXT, opacity=0), "scenes.0.clips.1.opacity: must be between 1 and 100"),
    (lambda b: clip(b, **TEXT, opacity=True), "scenes.0.clips.1.opacity: must be a whole number"),
    (lambda b: clip(b, **TEXT, shadow={"blur": 11}), "scenes.0.clips.1.shadow.blur: must be between 0 and 10"),
    (lambda b: clip(b, **TEXT, animation={"type": "spin"}), "scenes.0.clips.1.animation.duration: is required"),
    (lambda b: clip(b, **TEXT, animation={**MOVE, "delay": 31}), "scenes.0.clips.1.animation.delay: must be between"),
    (lambda b: clip(b, type="shape", shapeName="Blob", fill="x"), "scenes.0.clips.1.shapeName: must be one of"),
    (lambda b: clip(b, type="audio", source_url="x"), "scenes.0.clips.1.label: is required"),
]


@pytest.mark.parametrize(("spoil", "message"), WRONG, ids=[message for _, message in WRONG])
def test_faults_are_named_by_path(spoil: Callable[[Any], Any], message: str) -> None:
    body = example("v3-create-project-1.6")
    spoil(body)
    with pytest.raises(Refusal) as caught:
        check_create(body, lenient=False)
    assert message in caught.value.message


def test_a_dialogue_and_an_avatar_that_listens_pass() -> None:
    body = example("v3-create-project-1.6")
    (first,) = scene(body)["clips"]
    second = {**first, "id": "aiModel-second", "model": {"ai_name": "M000004017", "emotion": "BG00006160"}}
    scene(body)["clips"].append({**second, "isDelete": "no", "voiceOnly": 1, "opacity": 3000})
    check_create(body, lenient=False)
    (line,) = scene(body)["scripts"]
    answer = {**line, "modelId": "M000004017", "clothId": "BG00006160", "org": "Good day to you."}
    scene(body)["scripts"] += [answer, line]
    check_create(body, lenient=False)


def test_lenient_takes_any_scenes() -> None:
    check_create({"scenes": [{}]}, lenient=True)


def test_deleted_avatar_needs_no_words() -> None:
    body = example("v3-two-scenes")
    del body["scenes"][1]["clips"][0]["isDelete"]
    with pytest.raises(Refusal, match=r"scenes\.1\.clips\.0: the avatar has no script"):
        check_create(body, lenient=False)


def test_simple_video() -> None:
    check(example("v3-simple-video"), SIMPLE_VIDEO)
    with pytest.raises(Refusal, match="clothes: is required"):
        check({"language": "en", "text": "t", "model": "m"}, SIMPLE_VIDEO)


@pytest.mark.contradiction(3)
@pytest.mark.parametrize("form", [lambda updates: {"value": updates}, lambda updates: updates])
def test_edit_in_both_forms(form: Callable[[Any], Any]) -> None:
    updates = example("v3-edit-project")["updates"]["value"]
    scenes = from_template(next(iter(TEMPLATES)), model=None, clothes=None)[1]["scenes"]
    apply_updates(scenes, check_edit({"updates": form(updates)}), path="updates")
    assert scenes[0]["scripts"][0]["org"] == "changed script"
    assert (scenes[1]["clips"][1]["text"], scenes[1]["clips"][1]["fontSize"]) == ("change text", 100)


@pytest.mark.parametrize(
    ("update", "message"),
    [
        ({"sceneIdx": 5, "type": "aiModel", "values": {}}, "the project has no scene 5"),
        ({"sceneIdx": 0, "type": "shape", "values": {}}, "scene 0 has no clip of type shape"),
        ({"sceneIdx": 0, "type": "aiModel", "values": {"script": 3}}, "values.script: must be"),
    ],
)
def test_edit_of_what_is_not_there(update: dict[str, Any], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        apply_updates(example("v3-create-project-1.6")["scenes"], [update], path="updates")


def test_edit_of_speech_inside_the_clip_and_of_the_background() -> None:
    scenes = example("v3-seed-landscape")["scenes"]
    updates = [
        {"sceneIdx": 0, "type": "aiModel", "values": {"script": {"org": "new", "tts": None}}},
        {"sceneIdx": 0, "type": "background", "values": {"source_url": "/new.png"}},
    ]
    apply_updates(scenes, updates, path="updates")
    assert scenes[0]["clips"][0]["script"] == {"org": "new", "tts": None}
    assert scenes[0]["background"]["source_url"] == "/new.png"
    assert scenes[0]["background"]["id"] == "background"


def test_v2_sample_passes_and_faults_are_named() -> None:
    body = example("v2-seed-minimal")
    v2_validation.check_create(body)
    del body["scenes"][0]["AIModel"]["script"]
    body["scenes"][0]["clips"] = [{"type": "image", "detail": {"scale": "big"}}, {"type": "shape", "detail": {}}]
    body["scenes"].append({})
    with pytest.raises(Refusal) as caught:
        v2_validation.check_create(body)
    for message in (
        "scenes.0.AIModel.script: is required",
        "scenes.0.clips.0.detail.scale: must be a number",
        "scenes.0.clips.0.detail.url: is required",
        "scenes.0.clips.1.type: must be one of",
        "scenes.1: needs AIModel or clips",
    ):
        assert message in caught.value.message
