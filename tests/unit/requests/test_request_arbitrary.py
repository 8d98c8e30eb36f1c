"""Any JSON is either loaded as a request or refused; nothing ends in a traceback."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness import ROOT
from harness.requests import build
from renderline.kinds import KINDS
from renderline.kinds.naming import named_in
from renderline.requests import RequestRefused, as_request, load_body_json
from renderline.studio.redaction import private_texts

EXAMPLES = ROOT / "examples"
REQUESTS = [as_request(json.loads(path.read_text())) for path in sorted(EXAMPLES.glob("*.json"))]
WORDS = sorted(
    {"kind", "payload", "scenes", "clips", "scripts", "type", "hooks", "name", "script", "avatar", "updates", "value",
     "AIModel", "detail", "model", "org", "tts", "_schema", "a.b", ""}
)  # fmt: skip

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([*KINDS, *WORDS, "aiModel", "textImage", "download", "\ud800", "\0", 10**30])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner),
    max_leaves=12,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in paths(each, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    data = copy.deepcopy(draw(st.sampled_from(REQUESTS)))
    data.setdefault("project_id", "65fa") if data["kind"] == "edit" else None
    for _ in range(draw(st.integers(1, 3))):
        if not data:
            break
        *parents, last = draw(st.sampled_from(paths(data)[1:]))
        target = data
        for key in parents:
            target = target[key]
        if draw(st.booleans()):
            target[last] = draw(values)
        else:
            del target[last]
    return data


def loaded_or_refused(load: Any, data: Any) -> Any:
    try:
        return load(data)
    except RequestRefused as refused:
        return refused


def check(load: Any, data: Any) -> None:
    loaded = loaded_or_refused(load, data)
    if isinstance(data, dict):
        check_passing_on(data, loaded, loaded_or_refused(load, {**data, "validation": "warn"}))
    if isinstance(loaded, RequestRefused):
        assert loaded.errors
        assert RequestRefused(str(loaded)).errors == loaded.errors
        return
    assert load_body_json(loaded.body_json()) == loaded.body
    assert loaded.fingerprint()
    json.dumps(build(loaded, webhook_url="https://hooks.test"), allow_nan=False)


def check_passing_on(data: Any, strict: Any, passed: Any) -> None:
    """Asked to pass on, the same is refused or less; what is not wrong goes through the same way."""
    if isinstance(passed, RequestRefused):
        assert isinstance(strict, RequestRefused)
        assert passed.errors.keys() <= strict.errors.keys()
        return
    if not isinstance(strict, RequestRefused):
        assert passed == strict
    else:
        assert passed.warnings
    json.dumps(build(passed, webhook_url="https://hooks.test"), allow_nan=False)
    assert passed.fingerprint()
    assert all(one.id for one in named_in(KINDS[passed.kind], passed.body, data))
    assert all(isinstance(text, str) for text in private_texts(passed.body))


@given(data=values)
def test_arbitrary_json(load, data):
    check(load, data)


@given(kind=st.sampled_from(list(KINDS)), field=st.sampled_from(["payload", "scenes", "updates"]), data=values)
def test_arbitrary_bodies(load, kind, field, data):
    check(load, {"kind": kind, field: data, "project_id": "65fa"} if kind == "edit" else {"kind": kind, field: data})


@given(data=mutated())
def test_broken_examples(load, data):
    check(load, data)
