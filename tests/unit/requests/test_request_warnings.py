"""What the vendor's pages forbid is refused; a guess, or what the request asks to pass on, is a warning."""

from __future__ import annotations

from typing import Any

import pytest

from harness.requests import build
from renderline.kinds import KINDS
from renderline.kinds.v3_fields import VendorId
from renderline.requests import RequestRefused
from renderline.requests.loading import MAX_WARNINGS
from renderline.validation.fields import List

PROJECT = "65fa6b07dca2e367461a2925"
PLACE = {"layer": 2, "top": 0, "left": 0, "height": 270, "width": 480}
IMAGE = {**PLACE, "id": "i", "type": "image", "source_url": "https://example.com/a.png"}
SHAPE = {**PLACE, "id": "s", "type": "shape", "shapeName": "Star", "fill": "#fff"}
TEXT = {**PLACE, "id": "t", "type": "textImage", "text": "Hi", "fill": "#fff", "fontSize": 12}
AVATAR = {**PLACE, "id": "a", "type": "aiModel", "model": {"ai_name": "M1", "emotion": "B1"}}
OTHER = {**AVATAR, "id": "b", "model": {"ai_name": "M2", "emotion": "B2"}}
SCRIPT = {"org": "Hi.", "isTTS": False, "tts": None, "modelId": "M1", "clothId": "B1"}
PASSED = "; passed on all the same"


def project(*clips: Any, scripts: Any = (SCRIPT,), background: Any = None, **top: Any) -> dict[str, Any]:
    scene = {"sceneIdx": 0, "background": background or {}, "clips": list(clips), "scripts": list(scripts)}
    return {"kind": "project", "payload": {"scenes": [scene], **top}}


def refusals(load: Any, data: Any) -> dict[str, list[str]]:
    with pytest.raises(RequestRefused) as refused:
        load(data)
    return refused.value.errors


def test_an_ordinary_request_has_no_warnings(load):
    assert load(project(AVATAR, IMAGE, TEXT)).warnings == ()


@pytest.mark.contradiction(13)
@pytest.mark.parametrize(
    ("clips", "scripts"),
    [
        ([AVATAR, OTHER], [SCRIPT]),
        ([AVATAR, {**OTHER, "script": {"org": "Me too."}}], []),
        ([{**AVATAR, "script": {"org": "Hi."}}, OTHER], []),
        ([AVATAR, OTHER], [SCRIPT, {**SCRIPT, "org": "Bye.", "modelId": "M2", "clothId": "B2"}]),
    ],
)
def test_one_speech_is_enough_for_a_scene_with_several_avatars(load, clips, scripts):
    assert load(project(*clips, scripts=scripts)).warnings == ()


def test_an_empty_line_in_a_dialogue_is_a_warning(load):
    loaded = load(project(AVATAR, OTHER, scripts=[SCRIPT, {**SCRIPT, "org": "", "modelId": "M2", "clothId": "B2"}]))
    assert loaded.warnings == (f"payload.scenes.0.scripts.1.org: is empty: its avatar stays silent{PASSED}",)


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (project({**AVATAR, "opacity": 0}), "clips.0.opacity"),
        (project({**AVATAR, "opacity": "full"}), "clips.0.opacity"),
        (project({**AVATAR, "isDelete": "no"}), "clips.0.isDelete"),
        (project({**AVATAR, "voiceOnly": 1}), "clips.0.voiceOnly"),
        (project(AVATAR, background={"type": "picture"}), "background.type"),
        (project(AVATAR, background={"source_type": "color"}), "background.source_type"),
        (project(AVATAR, background={"source_type": ""}), "background.source_type"),
        (project(AVATAR, background={"source_url": None, "source_color": 7}), "background.source_color"),
        (project(AVATAR, {**IMAGE, "width": -480}), "clips.1.width"),
        (project(AVATAR, {**IMAGE, "height": -0.5}), "clips.1.height"),
        (project(AVATAR, {**TEXT, "fontSize": 0.75}), "clips.1.fontSize"),
        (project(AVATAR, {**TEXT, "fontWeight": "bold"}), "clips.1.fontWeight"),
        (project(AVATAR, {**SHAPE, "strokeWidth": -1}), "clips.1.strokeWidth"),
    ],
)
def test_what_no_page_forbids_is_passed_on_with_a_warning(load, data, path):
    loaded = load(data)
    assert [warning.partition(": ")[0] for warning in loaded.warnings] == [f"payload.scenes.0.{path}"]
    assert loaded.warnings[0].endswith(PASSED)
    assert build(loaded) == {**data["payload"], "name": "n"}


def test_a_null_background_address_has_no_warning(load):
    assert load(project(AVATAR, background={"source_url": None})).warnings == ()


@pytest.mark.contradiction(25)
@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        (project(AVATAR, {**SHAPE, "strokeWidth": 1.5}), "scenes.0.clips.1.strokeWidth", "must be a whole number"),
        (project(AVATAR, {**SHAPE, "strokeRadius": 0.5}), "scenes.0.clips.1.strokeRadius", "must be a whole number"),
        (project(AVATAR, {**TEXT, "strokeWidth": 1.5}), "scenes.0.clips.1.strokeWidth", "must be a whole number"),
        (project(AVATAR, {**TEXT, "fontWeight": 5.5}), "scenes.0.clips.1.fontWeight", "must be a whole number"),
        (project(AVATAR, webhookUrl=""), "webhookUrl", "must be an http or https URL"),
        (project(AVATAR, webhookUrl="ftp://a.test"), "webhookUrl", "must be an http or https URL"),
        (project(AVATAR, state="exported"), "state",
         "is set by the vendor: leave it out; kind from_project makes a new project from one that was read"),
    ],
)  # fmt: skip
def test_what_the_pages_forbid_is_refused(load, data, path, message):
    assert refusals(load, data) == {f"payload.{path}": [message]}
    passed = load({**data, "validation": "warn"})
    assert passed.warnings == (f"payload.{path}: {message}{PASSED}",)
    assert build(passed) == {**data["payload"], "name": "n"}


READ_BACK = {
    "_id": PROJECT, "state": "exported", "download_url": "https://cdn.test/a.mp4", "progress": 100, "userId": "u",
    "backendTaskId": "b", "creditSubstracted": True, "exportType": "x", "baseInfoId": "i",
    "createdAt": "2026-01-01", "updatedAt": "2026-01-01",
}  # fmt: skip


def test_a_project_that_was_read_is_not_created_as_it_is(load):
    data = project(AVATAR, **READ_BACK)
    assert set(refusals(load, data)) == {f"payload.{field}" for field in READ_BACK}
    assert list(refusals(load, {**data, "validation": "warn"})) == ["payload._id"]


@pytest.mark.parametrize(
    "file", [None, "nonsense", "upload:../../etc/passwd", "file:///etc/passwd", "/etc/passwd", "http://127.0.0.1/a.pdf"]
)
@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.file_fields))
@pytest.mark.parametrize("validation", ["strict", "warn"])
def test_the_reference_of_a_file_is_never_passed_on(load, file, kind, validation):
    field = KINDS[kind].file_fields[0]
    many = isinstance(KINDS[kind].schema.fields[field], List)
    found = refusals(load, {"kind": kind, field: [file] if many and file else file, "validation": validation})
    assert any(path.split(".")[0] == field for path in found), found


@pytest.mark.parametrize("word", ["export", "pptpdf", "modify", "Export", "duplicate", "name"])
@pytest.mark.parametrize("kind", ["edit", "export", "template", "from_project", "v2_edit"])
@pytest.mark.parametrize("validation", ["strict", "warn"])
def test_a_word_of_the_vendors_routes_is_no_id(load, word, kind, validation):
    field = "template_id" if kind == "template" else "project_id"
    changes = {
        "edit": {"updates": [{"sceneIdx": 0, "type": "image", "values": {}}]},
        "v2_edit": {"updates": [{"sceneIdx": 0, "property": "AIModel", "values": {"script": "Hi."}}]},
        "from_project": {"replace": [{"tag": "a", "text": "b"}]},
    }
    found = refusals(load, {"kind": kind, field: word, **changes.get(kind, {}), "validation": validation})
    assert found == {field: [f"must be an id: '{word}' is a word of the vendor's own routes"]}


def test_every_id_that_a_call_acts_on_is_checked_so():
    targets = {name: kind.schema.fields[kind.target[1]] for name, kind in KINDS.items() if kind.target}
    assert {name for name, field in targets.items() if not isinstance(field, VendorId)} == set()


@pytest.mark.parametrize("name", ["x" * 201, "Two\nlines", "x" * 5000 + "\r\n\u2028y"])
def test_any_name_in_a_vendor_body_is_taken_and_shown_on_one_line(load, name):
    loaded = load(project(AVATAR, name=name))
    assert loaded.name == " ".join(name.split())[:200]
    assert loaded.warnings == (
        "payload.name: is longer than 200 characters or has control characters; the render and its project are "
        "named by what fits on one line",
    )
    assert load({**project(AVATAR, name=name), "name": loaded.name}).name == loaded.name


def test_asked_to_warn_the_body_goes_through_as_it_was_given(load):
    odd = {**IMAGE, "opacity": 250, "animation": {"type": "spin", "duration": "long"}, "angle": "half", "layer": None}
    data = project(AVATAR, odd, {"type": "sticker"}, 7, scripts=[{"org": "Hi."}], orientation="square", resolution=8000)
    loaded = load({**data, "validation": "warn"})
    assert build(loaded) == {**data["payload"], "resolution": "8000", "name": "n"}
    paths = {warning.partition(": ")[0].removeprefix("payload.") for warning in loaded.warnings}
    assert {"scenes.0.clips.1.opacity", "scenes.0.clips.2.type", "scenes.0.clips.3", "orientation"} < paths
    assert refusals(load, data).keys() == {f"payload.{path}" for path in paths}


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"payload": {"scenes": None}}, "payload.scenes"),
        ({"payload": {}}, "payload.scenes"),
        ({"payload": {"scenes": [1]}}, "payload.scenes.0"),
        ({"payload": {"scenes": [], "resolution": {}}}, "payload.resolution"),
        ({"payload": {"scenes": [], "webhookUrl": 7}}, "payload.webhookUrl"),
        ({"payload": {"scenes": [], "name": []}}, "payload.name"),
        ({"account": "nobody"}, "account"),
        ({"priority": "urgent"}, "priority"),
        ({"hooks": [{"type": "ftp"}]}, "hooks.0.type"),
        ({"odd": 1}, "odd"),
        ({"name": "x" * 201}, "name"),
        ({"validation": "off"}, "validation"),
        ({"metadata": {"a": float("nan")}}, "metadata.a"),
    ],
)
def test_what_renderline_itself_relies_on_is_refused_all_the_same(load, change, path):
    assert list(refusals(load, {**project(AVATAR), "validation": "warn", **change})) == [path]


def test_the_compact_form_is_ours_and_always_strict(load):
    scene = {"script": "Hi.", "avatar": {"model": "M1", "clothes": "B1"}, "clips": [{"type": "text", "text": "a"}]}
    assert load({"kind": "project", "scenes": [scene], "validation": "warn"}).warnings == ()
    scene["clips"][0]["opacity"] = 250
    assert list(refusals(load, {"kind": "project", "scenes": [scene], "validation": "warn"})) == [
        "scenes.0.clips.0.opacity"
    ]


def test_a_guess_about_the_compact_form_is_a_warning_too_and_its_defaults_stay(load):
    clips = [
        {"type": "text", "text": "a", "fontWeight": "bold", "strokeWidth": -1},
        {"type": "video", "video_url": "v"},
    ]
    scene = {"script": "Hi.", "avatar": {"model": "M1", "clothes": "B1"}, "clips": clips}
    loaded = load({"kind": "project", "scenes": [scene]})
    assert loaded.warnings == (
        f"scenes.0.clips.0.fontWeight: should be a whole number{PASSED}",
        f"scenes.0.clips.0.strokeWidth: should be at least 0{PASSED}",
    )
    sent = build(loaded)["scenes"][0]["clips"][1]
    assert (sent["fontWeight"], sent["strokeWidth"], sent["fill"]) == ("bold", -1, "#ffffff")


def test_an_edit_keeps_its_form_when_its_values_are_passed_on(load):
    update = {"sceneIdx": 0, "type": "image", "values": {"opacity": 250}}
    loaded = load({"kind": "edit", "project_id": PROJECT, "updates": [update], "validation": "warn"})
    assert build(loaded) == {"updates": {"value": [update]}}
    assert loaded.warnings == (f"updates.0.values.opacity: must be between 1 and 100{PASSED}",)


def test_how_it_was_checked_is_no_part_of_what_a_request_means(load):
    data = project(AVATAR)
    assert load(data).fingerprint() == load({**data, "validation": "warn"}).fingerprint()
    assert load(data) == load({**data, "validation": "strict"})


def test_only_so_many_warnings_are_kept(load):
    loaded = load(project(AVATAR, *({**IMAGE, "id": str(at), "width": -1} for at in range(500))))
    assert len(loaded.warnings) == MAX_WARNINGS + 1
    assert loaded.warnings[-1] == f"{500 - MAX_WARNINGS} more warnings, not listed"


def test_many_warnings_hide_no_error(load):
    clips = [{**IMAGE, "id": str(at), "width": -1} for at in range(500)]
    assert list(refusals(load, project(AVATAR, *clips, {**IMAGE, "opacity": 0}))) == [
        "payload.scenes.0.clips.501.opacity"
    ]


def test_a_field_of_the_other_api_is_a_warning(load):
    simple = {"language": "en", "text": "Hi.", "model": "M1", "clothes": "B1", "webhook": "https://a.test"}
    assert load({"kind": "simple_video", "payload": simple}).warnings == (
        "payload.webhook: is a field of the v2 API, which v3 does not document; its own is webhookUrl" + PASSED,
    )


def test_no_warning_shows_script_text(load):
    secret = "A very secret script."
    odd = {**TEXT, "fontWeight": secret, "text": secret, "fontStyle": 7}
    loaded = load({**project({**AVATAR, "opacity": secret, "isDelete": secret}, odd), "validation": "warn"})
    assert len(loaded.warnings) == 4
    assert "secret" not in " ".join(loaded.warnings)
