"""Whatever project the vendor reads back: it is shown, becomes a template, and is changed only where an entry says so.

A long run: pytest tests/unit/fuzz --hypothesis-profile long
"""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.editor_project import ANNA, BEN, read_back
from renderline.kinds.editor.carried import LEFT_OUT, carried, carried_name
from renderline.kinds.editor.entries import REPLACE
from renderline.kinds.editor.outline import HEADINGS, outline, table
from renderline.kinds.editor.replacing import replaced
from renderline.kinds.editor.request_template import request_template

TAGS = st.sampled_from(["a", "b", "parrot-text"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 9)
    | st.floats(allow_nan=False)
    | st.sampled_from([10**400, 1e999, "", "x", "M1", "<p>Hi</p>"])
    | st.text(max_size=5)
)
ODD = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner))
LOOKS = st.sampled_from([ANNA, BEN])


def some(**known: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return objects with some of the known fields, each now and then odd, and with unknown ones."""
    fields = {name: strategy | ODD for name, strategy in known.items()}
    unknown = st.dictionaries(st.sampled_from(["odd", "__v", "lockRotation"]), ODD, max_size=2)
    return st.builds(lambda one, other: {**other, **one}, st.fixed_dictionaries({}, optional=fields), unknown)


TYPES = st.sampled_from(["aiModel", "image", "textImage", "videoImage", "audio", "shape"])
MODELS = LOOKS.map(lambda look: {"ai_name": look["model"], "emotion": look["clothes"], "odd": 1}) | ODD
CLIPS = some(
    type=TYPES,
    tag=TAGS,
    model=MODELS,
    script=some(org=st.just("Hi.")),
    layer=st.integers(-2, 3),
    isDelete=st.booleans(),
)
LINES = LOOKS.map(lambda look: {"org": "Hi.", "modelId": look["model"], "clothId": look["clothes"]}) | some(
    org=st.just("Hi."), modelId=st.just("M1"), clothId=st.just("B1"), isTTS=st.booleans()
)
SCENES = some(clips=st.lists(CLIPS | ODD, max_size=4), scripts=st.lists(LINES | ODD, max_size=3), background=ODD)
PROJECTS = some(
    _id=st.just("65fa"),
    name=st.text(max_size=9),
    scenes=st.lists(SCENES | ODD, max_size=3),
    orientation=st.just("portrait"),
)

PLACES = st.sampled_from(
    [{"tag": "a"}, {"tag": "b", "scene": 1}, {"scene": 0}, {"scene": 1, "clip": 0}, {"scene": 0, "clip": 2}]
)
VALUES = st.sampled_from(
    [
        {"text": "new"},
        {"image": "https://a.example.com/new.png"},
        {"video": "https://a.example.com/new.mp4"},
        {"audio": "https://a.example.com/new.mp3"},
        {"avatar": {"model": "M7", "clothes": "B7"}, "set": {"left": 1}},
    ]
)
ENTRIES = st.builds(lambda place, value: {**place, **value}, PLACES, VALUES) | st.sampled_from(
    [
        {"scene": 0, "script": "new"},
        {"tag": "a", "script": "new"},
        {"scene": 1, "script_index": 1, "script": "new"},
        {"scene": 0, "background": {"color": "red"}},
        {"scene": 1, "background": {"image": "https://a.example.com/new.png"}},
        {"scene": 0, "background": {"video": "https://a.example.com/new.mp4"}},
        {"tag": "b", "set": {"fontSize": 9}},
    ]
)


@given(project=PROJECTS, replace=st.lists(ENTRIES, max_size=4))
def test_any_project_is_changed_or_does_not_fit_and_stays_as_it_was_itself(project, replace):
    before = copy.deepcopy(project)
    checked = REPLACE.deserialize(replace)
    scenes, problems = replaced(project, checked)
    assert project == before
    assert all(path.startswith(("replace.", "project_id")) and message for path, message in problems.items())
    if not replace and not problems:
        assert scenes == project["scenes"]
    if isinstance(project.get("scenes"), list):
        assert len(scenes) == len(project["scenes"])


@given(project=PROJECTS)
def test_any_project_has_an_outline_and_a_template_that_is_a_request(project):
    outlined = outline(project)
    json.dumps(outlined, allow_nan=False)
    assert all(len(row) == len(HEADINGS) for row in table(outlined))
    for everything in (False, True):
        template = request_template(outline(project), project_id="65fa", everything=everything)
        REPLACE.deserialize(template.request["replace"])
        assert json.dumps(template.request).count("{{") == len(template.example)


@given(project=PROJECTS)
def test_a_create_takes_over_every_field_that_is_not_left_out(project):
    taken = carried(project)
    for name, value in project.items():
        assert (name in taken) == (name not in LEFT_OUT and not name.startswith("_") and value is not None)
    name = carried_name(project)
    assert name is None or (name.isprintable() and 0 < len(name) <= 200)


def with_odd_fields(value: Any) -> Any:
    """Return the value with an unknown field in every object."""
    if isinstance(value, dict):
        return {**{name: with_odd_fields(inner) for name, inner in value.items()}, "odd": 1}
    return [with_odd_fields(inner) for inner in value] if isinstance(value, list) else value


def objects(value: Any, path: str = "") -> dict[str, dict[str, Any]]:
    """Return every object in a value by its path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = {path: value} if isinstance(value, dict) else {}
    for name, inner in pairs:
        found |= objects(inner, f"{path}.{name}")
    return found


@given(replace=st.lists(ENTRIES | st.just({"tag": "parrot-text", "text": "new"}), max_size=5))
def test_unknown_fields_are_kept_wherever_they_are(replace):
    project = with_odd_fields(read_back())
    scenes, _ = replaced(project, REPLACE.deserialize(replace))
    after = objects({**carried(project), "scenes": scenes})
    assert after[""]["odd"] == 1
    known = objects(carried(project))
    gone = {path for path in known if path not in after}
    # Of an avatar that is replaced, the blocks that describe the old one are left out.
    assert all(".model." in path for path in gone)
    assert all(one["odd"] == 1 for path, one in after.items() if path in known)
