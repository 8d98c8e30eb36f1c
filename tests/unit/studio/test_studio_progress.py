"""How the vendor's reports are read."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderline.studio.progress import (
    Progress,
    Unreadable,
    key_v2,
    percent_of,
    progress_v2,
    progress_v3,
    project_v3,
    rows,
    summaries_v3,
)
from renderline.studio.response import decode, error_of, is_refusal

FIELDS = [
    "progress",
    "downloadUrl",
    "download_url",
    "state",
    "project",
    "_id",
    "id",
    "key",
    "data",
    "error",
    "code",
    "msg",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "success", "url"]), inner),
    max_leaves=12,
)


@given(JSON)
def test_no_json_value_makes_a_reader_stumble(value):
    for reader in (progress_v3, project_v3, rows, summaries_v3):
        with contextlib.suppress(Unreadable):
            reader(value)
    body = decode(json.dumps(value).encode())
    if body is not None:
        is_refusal(body)
        error_of(body)
        key_v2(body)
        with contextlib.suppress(Unreadable):
            progress_v2(body)


@pytest.mark.contradiction(8)
@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (0, 0.0),
        (42, 42.0),
        (42.25, 42.25),
        ("42.25", 42.25),
        (" 7 % ", 7.0),
        (-1, 0.0),
        (100.4, 100.0),
        pytest.param(10**400, 100.0, id="huge"),
    ],
)
def test_a_progress_is_a_number_in_any_clothes(reported, expected):
    assert percent_of(reported) == expected


@pytest.mark.parametrize("reported", ["", "soon", "nan", float("nan"), float("inf"), True, [], {}, None])
def test_anything_else_is_no_progress(reported):
    with pytest.raises(Unreadable):
        percent_of(reported)


@pytest.mark.contradiction(10)
@pytest.mark.parametrize(
    "extra", [{}, {"downloadUrl": None}, {"downloadUrl": ""}, {"downloadUrl": " "}, {"downloadUrl": False}]
)
def test_100_without_a_url_is_not_done(extra):
    found = progress_v3({"progress": 100, **extra})
    assert found == Progress(100.0, None, None)
    assert not found.done


@pytest.mark.contradiction(9)
@pytest.mark.parametrize(
    ("found", "done"),
    [
        (Progress(100.0, "u"), True),
        (Progress(99.9, "u"), False),
        (Progress(99.9, "u", "exported"), True),
        (Progress(0.0, "u", "Exported"), True),
        (Progress(100.0, None, "exported"), False),
        (Progress(50.0, "u", "finish"), False),
    ],
)
def test_done_needs_a_url_and_either_100_or_the_word(found, done):
    assert found.done is done


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 7, "msg": "out of memory"}, ("7", "out of memory")),
        ({"message": "x" * 999}, (None, "x" * 297 + "...")),
        ("just text", (None, "just text")),
        (None, (None, None)),
    ],
)
def test_what_the_vendor_says_of_a_failed_render_is_kept_short(error, expected):
    for found in (progress_v3({"progress": 1, "error": error}), progress_v2({"progress": 1, "error": error})):
        assert (found.error_code, found.error_message) == expected


@pytest.mark.contradiction(7)
def test_both_spellings_of_the_url_are_read():
    assert progress_v3({"progress": 1, "download_url": "u"}).download_url == "u"
    assert progress_v3({"progress": 1, "downloadUrl": "u"}).download_url == "u"


@pytest.mark.contradiction(10)
def test_a_waiting_render_may_have_no_figure_yet():
    assert progress_v3({"progress": None, "state": "queued"}) == Progress(0.0, None, "queued")


@pytest.mark.parametrize("data", [None, [], "x", {}, {"percent": 3}, {"progress": {}}])
def test_an_answer_without_progress_is_unreadable(data):
    with pytest.raises(Unreadable):
        progress_v3(data)


def test_a_v2_answer_without_progress_is_unreadable():
    with pytest.raises(Unreadable):
        progress_v2({"success": True, "data": {}})


@pytest.mark.parametrize(
    ("body", "key"),
    [({"key": "k"}, "k"), ({"data": {"key": "k"}}, "k"), ({"key": "", "data": {"key": "k"}}, "k"), ({}, None)],
)
def test_a_v2_key_stands_in_one_of_two_places(body, key):
    assert key_v2(body) == key


def test_a_fresh_project_has_no_progress_and_no_task():
    found = project_v3({"project": {"_id": "p", "state": None, "creditSubstracted": None}})
    assert (found.progress, found.backend_task_id, found.credit_subtracted, found.download_url) == (
        0.0,
        None,
        False,
        None,
    )


@pytest.mark.parametrize("data", [None, [], {"project": None}, {"project": {"name": "no id"}}])
def test_an_answer_without_a_project_is_unreadable(data):
    with pytest.raises(Unreadable):
        project_v3(data)


@pytest.mark.parametrize("data", [[{"id": 1}], {"count": 1, "projects": [{"id": 1}, "x", None]}])
def test_a_list_is_the_data_or_the_first_list_in_it(data):
    assert rows(data) == [{"id": 1}]


@pytest.mark.parametrize("data", [None, {}, "x", {"projects": {}}])
def test_no_list_is_unreadable(data):
    with pytest.raises(Unreadable):
        rows(data)


def test_a_row_may_spell_its_id_either_way():
    assert [row.id for row in summaries_v3([{"id": "a"}, {"_id": "b"}, {}])] == ["a", "b"]
