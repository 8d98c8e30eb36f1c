"""The schema of `replace`: one place and one value in each entry."""

import pytest
from marshmallow import ValidationError

from renderline.kinds.editor.entries import MAX_ENTRIES, REPLACE
from renderline.validation.errors import flattened
from renderline.validation.weight import Firm

CARA = {"model": "M1", "clothes": "B1"}


def errors(*entries):
    try:
        REPLACE.deserialize(list(entries))
    except ValidationError as error:
        return flattened(error.messages, "replace")
    return {}


@pytest.mark.parametrize(
    "entry",
    [
        {"tag": "a", "text": ""},
        {"tag": "a", "scene": 1, "text": "x"},
        {"scene": 0, "clip": 1, "image": "https://a.example.com/a.png"},
        {"scene": 0, "image": "/images/theirs.png", "set": {"left": -4.6, "scaleX": 0.5}},
        {"tag": "a", "set": {"fontSize": 7.5, "opacity": 50}},
        {"scene": 0, "clip": 0, "set": {"top": 1}},
        {"scene": 0, "script": "Hi."},
        {"tag": "a", "script": "Hi."},
        {"scene": 0, "script_index": 2, "script": "Hi."},
        {"scene": 0, "avatar": CARA},
        {"tag": "a", "avatar": {**CARA, "language": "ko"}, "set": {"left": 0}},
        {"scene": 0, "background": {"color": "red"}},
        {"tag": "a", "text": "x", "image": None, "clip": None},
    ],
)
def test_what_an_entry_may_be(entry):
    assert errors(entry) == {}


ONE = "must have exactly one of text, image, video, audio, avatar, script, background (or set alone)"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, {"replace.0": [ONE]}),
        ({"tag": "a"}, {"replace.0": [ONE]}),
        ({"tag": "a", "text": "x", "image": "y"}, {"replace.0": [ONE]}),
        ({"text": "x"}, {"replace.0.scene": ["is required, unless tag is given"]}),
        ({"clip": 1, "text": "x"}, {"replace.0.scene": ["is required, unless tag is given"]}),
        ({"tag": "a", "scene": 0, "clip": 1, "text": "x"}, {"replace.0.clip": ["must be left out when tag is given"]}),
        ({"scene": 0, "set": {"left": 1}}, {"replace.0.clip": ["is required, unless tag is given"]}),
        (
            {"scene": 0, "script_index": 0, "text": "x"},
            {"replace.0.script_index": ["must be left out: it is for script"]},
        ),
        ({"scene": 0, "clip": 0, "script": "x"}, {"replace.0.clip": ["must be left out with script"]}),
        ({"background": {"color": "red"}}, {"replace.0.scene": ["is required"]}),
        (
            {"scene": 0, "background": {"color": "red", "image": "x"}},
            {"replace.0.background": ["must have exactly one of image, color, video"]},
        ),
        ({"scene": -1, "text": "x"}, {"replace.0.scene": ["must be at least 0"]}),
        ({"scene": 0.5, "text": "x"}, {"replace.0.scene": ["must be a whole number"]}),
        ({"scene": "0", "text": "x"}, {"replace.0.scene": ["must be a number"]}),
        ({"tag": " ", "text": "x"}, {"replace.0.tag": ["may not be empty"]}),
        ({"scene": 0, "script": " "}, {"replace.0.script": ["may not be empty"]}),
        ({"scene": 0, "avatar": {"model": "M1"}}, {"replace.0.avatar.clothes": ["is required"]}),
        ({"scene": 0, "txt": "x", "text": "x"}, {"replace.0.txt": ["unknown field; did you mean 'text'?"]}),
        ({"tag": "a", "set": {"id": "x"}}, {"replace.0.set.id": ["unknown field"]}),
        ("x", {"replace.0": ["must be an object"]}),
    ],
)
def test_what_an_entry_may_not_be(entry, expected):
    assert errors(entry) == expected


def test_the_number_of_entries_is_limited():
    assert errors(*[{"tag": "a", "text": "x"}] * (MAX_ENTRIES + 1)) == {
        "replace": [f"must have at most {MAX_ENTRIES} entries"]
    }


def test_only_a_guess_about_a_style_is_ever_passed_on():
    with pytest.raises(ValidationError) as refused:
        REPLACE.deserialize([{"tag": "a", "set": {"fontSize": -1, "opacity": "x"}}, {"scene": 0}])
    found = {path: texts[0] for path, texts in flattened(refused.value.messages, "replace").items()}
    assert {path for path, text in found.items() if not isinstance(text, Firm)} <= {"replace.0.set.fontSize"}
    assert {"replace.0.set.opacity", "replace.1"} <= {path for path, text in found.items() if isinstance(text, Firm)}
