"""Contradictions of the vendor's pages that a request meets; `docs/vendor.md` lists all of them with the decisions."""

from __future__ import annotations

import json

import pytest

from harness import ROOT
from harness.requests import build
from renderline.kinds import KINDS
from renderline.requests import RequestRefused

SAMPLE = json.loads((ROOT / "examples/v3-two-scenes.json").read_text())
SPOKEN = {"language": "en", "text": "Hello.", "model": "M1", "clothes": "B1"}


@pytest.mark.contradiction(6)
def test_a_simple_video_without_the_flag_is_rendered(load):
    loaded = load({"kind": "simple_video", "payload": SPOKEN})
    assert loaded.body.get("export") is not False
    assert all(
        any(stage.paid for stage in plan) for plan in (KINDS["simple_video"].two_phase, KINDS[loaded.kind].direct)
    )


@pytest.mark.contradiction(11)
def test_two_scenes_may_have_one_number_and_keep_their_order(load):
    assert [scene["sceneIdx"] for scene in SAMPLE["scenes"]] == [0, 0]
    assert build(load({"kind": "project", "payload": SAMPLE}))["scenes"] == SAMPLE["scenes"]


@pytest.mark.contradiction(12)
def test_the_address_of_a_picture_is_in_the_field_of_the_table(load):
    place = {"id": "i", "layer": 9, "top": 0, "left": 0, "height": 9, "width": 9}
    clip = {**place, "type": "image", "resource_url": "https://example.com/a.png"}
    scene = {"sceneIdx": 0, "background": {}, "clips": [clip]}
    with pytest.raises(RequestRefused, match=r"^payload\.scenes\.0\.clips\.0\.source_url: is required$"):
        load({"kind": "project", "payload": {"scenes": [scene]}})


@pytest.mark.contradiction(26)
@pytest.mark.parametrize(
    ("kind", "body", "field"), [("project", SAMPLE, "dictionary"), ("simple_video", SPOKEN, "ttsType")]
)
def test_a_field_that_one_language_alone_documents_is_sent_if_given_and_never_added(load, kind, body, field):
    assert field not in build(load({"kind": kind, "payload": body}))
    assert build(load({"kind": kind, "payload": {**body, field: {"any": 1}}}))[field] == {"any": 1}


@pytest.mark.contradiction(33)
def test_speech_of_the_older_api_needs_no_clothes(load):
    spoken = {name: SPOKEN[name] for name in ("language", "text", "model")}
    assert build(load({"kind": "v2_simple_audio", "payload": spoken})) == spoken
