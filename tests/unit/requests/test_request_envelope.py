"""The fields that every request has: defaults, limits and how each error is named."""

from __future__ import annotations

from typing import Any

import pytest

from renderline.kinds import KINDS
from renderline.requests import RequestRefused, load_request

AVATAR = {"model": "M000045058", "clothes": "BG00002320"}
SCENE = {"script": "A very secret script.", "avatar": AVATAR}


def request(**fields: Any) -> dict[str, Any]:
    return {"kind": "project", "scenes": [SCENE], **fields}


def errors_of(load: Any, data: Any) -> dict[str, list[str]]:
    with pytest.raises(RequestRefused) as refused:
        load(data)
    return refused.value.errors


def test_a_minimal_request_is_filled_in(load):
    loaded = load(request())
    assert (loaded.kind, loaded.name, loaded.account, loaded.priority) == ("project", "Untitled", "default", "normal")
    assert (loaded.deadline, loaded.metadata, loaded.hooks) == (None, {}, ())
    assert loaded.body["resolution"] == "1080"
    assert loaded.body["orientation"] == "landscape"
    assert loaded.body["scenes"][0]["avatar"] == {
        **AVATAR, "language": "en", "position": "center", "scale": 1, "head_only": False
    }  # fmt: skip


def test_every_field_given_is_kept(load):
    hooks = [
        {"type": "download", "path": "a.mp4"},
        {"type": "http", "url": "https://example.com/done"},
        {"type": "celery", "task": "billing.video_ready"},
    ]
    loaded = load(
        request(
            name="Welcome", account="events", priority="high", deadline=60, metadata={"order": [1, None]}, hooks=hooks
        )
    )
    assert (loaded.name, loaded.account, loaded.priority, loaded.deadline) == ("Welcome", "events", "high", 60.0)
    assert loaded.metadata == {"order": [1, None]}
    assert loaded.hooks == (*hooks[:2], {**hooks[2], "queue": "celery"})


def test_null_is_the_same_as_left_out(load):
    nulls = dict.fromkeys(("name", "account", "priority", "deadline", "metadata", "hooks", "payload", "resolution"))
    assert load(request(**nulls)) == load(request())


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        (
            {"kind": "projekt"},
            "kind",
            f"must be one of {', '.join(KINDS)}, not 'projekt'",
        ),
        ({"kind": None}, "kind", "is required"),
        ({"kind": ["project"]}, "kind", "must be one of"),
        ({"name": "x" * 201}, "name", "must be at most 200 characters"),
        ({"name": " "}, "name", "may not be empty"),
        ({"name": "a\nb"}, "name", "may not contain control characters"),
        ({"name": 7}, "name", "must be a string"),
        ({"account": "nobody"}, "account", "unknown account 'nobody'; known: default, events"),
        ({"account": {}}, "account", "must be a string"),
        ({"priority": "urgent"}, "priority", "must be one of high, normal, low, not 'urgent'"),
        ({"deadline": 0.5}, "deadline", "must be between 1 and 604800"),
        ({"deadline": 604801}, "deadline", "must be between 1 and 604800"),
        ({"deadline": "60"}, "deadline", "must be a number"),
        ({"deadline": True}, "deadline", "must be a number"),
        ({"metadata": []}, "metadata", "must be an object"),
        ({"metadata": {"a": "x" * 16384}}, "metadata", "must be at most 16384 bytes as JSON"),
        ({"metadata": {"a": "\u00e9" * 8190}}, "metadata", "must be at most 16384 bytes as JSON"),
        ({"hooks": {}}, "hooks", "must be a list"),
        ({"hooks": [{"type": "download"}] * 21}, "hooks", "must have at most 20 entries"),
        ({"hooks": ["download"]}, "hooks.0", "must be an object"),
        ({"hooks": [{}]}, "hooks.0.type", "is required"),
        (
            {"hooks": [{"type": "download"}, {"type": "ftp"}]},
            "hooks.1.type",
            "unknown hook type 'ftp'; known: celery, download, http",
        ),
        ({"hooks": [{"type": []}]}, "hooks.0.type", "unknown hook type; known: celery, download, http"),
        ({"hooks": [{"type": "http"}]}, "hooks.0.url", "Missing data for required field."),
        ({"hooks": [{"type": "http", "url": "https://a.test", "uri": 1}]}, "hooks.0.uri", "Unknown field."),
        ({"hooks": [{"type": "http", "url": "http://internal.test"}]}, "hooks.0", "needs RENDERLINE_ALLOW_PRIVATE"),
        ({"sceens": []}, "sceens", "unknown field; did you mean 'scenes'?"),
        ({"project_id": "65fa"}, "project_id", "unknown field"),
        ({"zzz": 1}, "zzz", "unknown field"),
        ({"scenes": None}, "scenes", "is required, unless payload is given"),
        ({"payload": {}}, "payload", "must be left out when scenes is given"),
        ({"scenes": None, "payload": []}, "payload", "must be an object"),
        ({"orientation": "diagonal"}, "orientation", "must be one of landscape, portrait, not 'diagonal'"),
        ({"resolution": 1440}, "resolution", "must be one of 4k, 1080, 720, 480, not '1440'"),
        ({"resolution": True}, "resolution", "must be one of 4k, 1080, 720, 480"),
    ],
)
def test_a_wrong_field_is_named(load, fields, path, message):
    found = errors_of(load, request(**fields))
    assert list(found) == [path]
    assert found[path][0].startswith(message)


def test_every_wrong_field_is_named_at_once(load):
    data = request(account="nobody", priority=1, hooks=[{"type": "ftp"}], zzz=1, scenes=[{**SCENE, "script": ""}, {}])
    assert list(errors_of(load, data)) == [
        *("account", "hooks.0.type", "priority"),
        *("scenes.0.script", "scenes.1.avatar", "scenes.1.script", "zzz"),
    ]


@pytest.mark.parametrize("data", [None, True, 1, 1.5, "text", [], [{}]])
def test_only_an_object_is_a_request(load, data):
    assert errors_of(load, data) == {"request": ["must be an object"]}


def test_an_account_must_be_chosen_where_none_is_the_default():
    with pytest.raises(RequestRefused, match="account: is required; known: a, b"):
        load_request(request(), accounts=["b", "a"], hook_kinds={}, max_bytes=10_000)


def test_the_size_limit_counts_bytes_of_compact_json(load):
    data = {"kind": "project", "name": "\u4f60", "scenes": [SCENE]}
    size = len('{"kind":"project","name":"\u4f60","scenes":[{"avatar":{"clothes":"BG00002320","model":"M000045058"},'
               '"script":"A very secret script."}]}'.encode())  # fmt: skip
    assert load_request(data, accounts=["default"], hook_kinds={}, max_bytes=size).name == "\u4f60"
    with pytest.raises(RequestRefused, match=rf"request: is too large: the request has {size} bytes"):
        load_request(data, accounts=["default"], hook_kinds={}, max_bytes=size - 1)
    with pytest.raises(RequestRefused, match="payload: is too large"):
        load({"kind": "project", "payload": {"scenes": ["x" * 100_000]}})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "NaN and Infinity are not JSON"),
        (float("-inf"), "NaN and Infinity are not JSON"),
        ("a\0b", "contains a NUL character"),
        ("\ud800", "contains half of a surrogate pair, which is not Unicode text"),
        pytest.param(10**5000, "must fit into 64 bits", id="5001 digits"),
        (b"", "is not a JSON value but a Python bytes"),
        ((), "is not a JSON value but a Python tuple"),
        ({1: 2}, "has a key that is not a string"),
        ({"a\0": 2}, "has a key that contains a NUL character"),
    ],
)
def test_what_breaks_a_json_limit_is_named_wherever_it_stands(load, value, message):
    data = request(metadata={"list": [0, {"deep": value}]})
    assert errors_of(load, data) == {"metadata.list.1.deep": [message]}


def test_nesting_is_limited(load):
    def nested(levels: int) -> Any:
        value: Any = {}
        for _ in range(levels - 1):
            value = [value]
        return value

    assert load(request(metadata={"deep": nested(62)}))
    found = errors_of(load, request(metadata={"deep": nested(63)}))
    assert list(found.values()) == [["is nested more than 64 levels deep"]]
    errors_of(load, request(metadata=nested(100_000)))


def test_a_broken_body_gets_a_readable_answer(load):
    found = errors_of(load, request(**{f"unknown{at}": 1 for at in range(1000)}))
    assert len(found) == 201
    assert found["request"] == ["has 800 more wrong fields, not listed"]


def test_a_path_is_always_one_printable_word(load):
    name = "a: b\n\u202e" + "x" * 1000
    (path,) = errors_of(load, request(**{name: 1}))
    assert path == ("a? b??" + "x" * 1000)[:64]


@pytest.mark.parametrize("wrong", ["kind", "account", "priority", "resolution", "orientation", "deadline", "metadata"])
def test_no_message_shows_script_text(load, wrong):
    script = "A very secret script."
    scene = {"script": script, "tts": script, "avatar": {**AVATAR, "position": script}, "clips": [{"type": script}]}
    data = request(scenes=[scene], hooks=[{"type": script}], **{wrong: script})
    assert "secret" not in str(RequestRefused(errors_of(load, data)))
