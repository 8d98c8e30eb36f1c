"""The request with placeholders that `template-of` writes for a project."""

import json
import re
import time

import pytest

from harness.editor_project import ANNA, IMAGE, avatar, line, picture, read_back, text
from renderline.kinds.editor.entries import REPLACE
from renderline.kinds.editor.outline import outline
from renderline.kinds.editor.replacing import replaced
from renderline.kinds.editor.request_template import request_template

ID = "65fa6b07dca2e367461a2925"


def filled(request, row):
    return json.loads(re.sub(r"\{\{(\w+)\}\}", lambda found: row[found[1]], json.dumps(request)))


def test_texts_lines_and_tagged_clips_get_a_column():
    template = request_template(outline(read_back()), project_id=ID)
    assert template.request == {
        "kind": "from_project",
        "project_id": ID,
        "name": "Parrots",
        "replace": [
            {"tag": "parrot-image", "image": "{{parrot_image}}"},
            {"tag": "parrot-text", "text": "{{parrot_text}}"},
            {"scene": 0, "script": "{{scene0_script}}"},
            {"tag": "guest", "avatar": {"model": "{{guest_model}}", "clothes": "{{guest_clothes}}"}},
            {"scene": 1, "clip": 3, "text": "{{scene1_text3}}"},
            {"scene": 1, "script_index": 0, "script": "{{scene1_script0}}"},
            {"scene": 1, "script_index": 1, "script": "{{scene1_script1}}"},
            {"scene": 1, "script_index": 2, "script": "{{scene1_script2}}"},
        ],
    }
    assert template.example["parrot_image"] == IMAGE
    assert template.example["scene1_script1"] == "Mostly seeds."


def test_every_clip_can_get_one():
    template = request_template(outline(read_back()), project_id=ID, everything=True)
    assert {"scene": 1, "clip": 2, "image": "{{scene1_image2}}"} in template.request["replace"]
    looks = {"model": "{{scene0_avatar0_model}}", "clothes": "{{scene0_avatar0_clothes}}"}
    assert {"scene": 0, "clip": 0, "avatar": looks} in template.request["replace"]


@pytest.mark.parametrize("everything", [False, True])
def test_filled_with_what_the_project_has_it_fits_the_project(everything):
    template = request_template(outline(read_back()), project_id=ID, everything=everything)
    replace = REPLACE.deserialize(filled(template.request, template.example)["replace"])
    scenes, problems = replaced(read_back(), replace)
    assert problems == {}
    assert scenes[0]["clips"][1:] == read_back()["scenes"][0]["clips"][1:]


def test_a_tag_has_one_column_however_often_it_occurs_and_no_two_columns_one_name():
    clips = [
        text("a", "1", tag="It's"),
        text("b", "2", tag="It's"),
        text("c", "3", tag="it s!"),
        text("d", "4", tag="It s"),
    ]
    template = request_template(outline({"scenes": [{"clips": clips}]}), project_id=ID)
    assert template.example == {"It_s": "1", "it_s": "3", "It_s_2": "4"}
    assert len(template.request["replace"]) == 3


def test_tags_may_be_in_any_language():
    scene = {"clips": [text("a", "1", tag="제목 1"), text("b", "2", tag="!")]}
    template = request_template(outline({"scenes": [scene]}), project_id=ID)
    assert list(template.example) == ["제목_1", "tag"]


def test_hidden_avatars_shapes_and_silent_lines_are_left_as_they_are():
    clips = [avatar(ANNA, "a", isDelete=True, tag="x"), {"type": "shape", "tag": "y"}, picture("i"), {"type": 5}, 7]
    template = request_template(
        outline({"scenes": [{"clips": clips, "scripts": [line(ANNA, "")]}, None]}), project_id=ID
    )
    assert template.request["replace"] == []
    assert "name" not in template.request


def test_thousands_of_tags_that_make_one_name_take_no_time():
    clips = [text("a", "1", tag="a" + f"{number:013b}".translate({48: "!", 49: "?"})) for number in range(8000)]
    outlined = outline({"scenes": [{"clips": clips}]})
    began = time.process_time()
    template = request_template(outlined, project_id=ID)
    assert time.process_time() - began < 1.0
    assert len(template.example) == 8000
