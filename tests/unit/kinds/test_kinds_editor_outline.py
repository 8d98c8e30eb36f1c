"""The outline of a project that was read back: what `projects show` lists, with the numbers that a request uses."""

import json

import pytest

from harness.editor_project import ANNA, BEN, read_back
from renderline.kinds.editor.outline import HEADINGS, outline, plain_text, table


def test_scenes_clips_and_lines_carry_the_numbers_that_a_request_addresses():
    outlined = outline(read_back())
    assert (outlined["id"], outlined["name"]) == ("65fa6b07dca2e367461a2925", "Parrots")
    assert (outlined["orientation"], outlined["state"]) == ("landscape", "exported")
    first, second = outlined["scenes"]
    assert [(clip["clip"], clip["type"], clip["tag"], clip["replace"]) for clip in first["clips"]] == [
        (0, "aiModel", None, "avatar"),
        (1, "image", "parrot-image", "image"),
        (2, "textImage", "parrot-text", "text"),
    ]
    assert first["clips"][0]["value"] == ANNA
    assert second["clips"][1]["value"] == BEN
    assert first["clips"][2]["value"] == "A parrot"
    assert [(line["script_index"], line["text"], line["clips"]) for line in second["scripts"]] == [
        (0, "What do parrots eat?", [0]),
        (1, "Mostly seeds.", [1]),
        (2, "Thank you.", [0]),
    ]


@pytest.mark.contradiction(14)
def test_a_place_is_the_drawn_one():
    clip = outline(read_back())["scenes"][0]["clips"][0]
    assert (clip["width"], clip["height"]) == (339.5, 1114.5)


def test_the_table_has_a_row_for_each_part():
    rows = list(table(outline(read_back())))
    assert {len(row) for row in rows} == {len(HEADINGS)}
    assert rows[0] == ("0", "background", "image", "", "", "/images/background/bg_blue_gradient.png")
    assert rows[1] == ("0", "clip 0", "aiModel", "", "630,147 340x1114", "M000045058 in BG00002320")
    assert ("0", "clip 2", "textImage", "parrot-text", "100,800 900x90", "A parrot") in rows
    assert ("1", "script 1", "script", "", "", "Mostly seeds. (clip 1)") in rows


def test_the_older_form_has_its_words_in_the_avatar():
    scene = {"clips": [{"type": "aiModel", "model": {}, "script": {"org": "Hello.", "tts": None}}]}
    assert outline({"scenes": [scene]})["scenes"][0]["scripts"] == [
        {"script_index": 0, "text": "Hello.", "clips": [0], "synthetic": False}
    ]


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("Hello.", "Hello."),
        ("<p>One.</p><p>Two &amp; three.</p>", "One. Two & three."),
        ('<p><span style="x">Red</span> car</p>', "Red car"),
        ("2 < 3 and 4 > 1", "2 < 3 and 4 > 1"),
    ],
)
def test_spoken_words_are_shown_without_tags(words, plain):
    assert plain_text(words) == plain


@pytest.mark.parametrize(
    "project",
    [
        {},
        {"scenes": None},
        {"scenes": {}},
        {"scenes": [None, 5, {}, {"clips": {}, "scripts": "x", "background": []}]},
        {"scenes": [{"clips": [{}, {"type": 5}, {"type": "aiModel"}, {"type": "image", "source_url": 3}]}]},
        {"scenes": [{"clips": [{"type": "image", "left": 10**400, "top": 1e999, "width": True, "tag": []}]}]},
        {"scenes": [{"scripts": [{}, {"org": None, "modelId": 5}], "clips": [{"type": "aiModel", "model": "M"}]}]},
    ],
)
def test_whatever_the_shape_there_is_an_outline(project):
    outlined = outline(project)
    assert json.loads(json.dumps(outlined, allow_nan=False)) == outlined
    assert list(table(outlined)) is not None
