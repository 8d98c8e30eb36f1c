"""A long list is read as it arrives: the result is that of reading it whole, with the wanted fields alone."""

import io
import json
import tracemalloc

import pytest

from renderline.studio import list_stream
from renderline.studio.list_stream import ListStream, TooLong

WANTED = ("id", "name")
ROW = {"id": "p1", "name": 'a "b" \\ é 世 \ud83d\ude00', "scenes": [{"id": 1, "x": [1, {"name": "y"}]}], "n": -1.5e3}
ANSWERS = [
    {"success": True, "data": [ROW, {"id": 7}, "text", 3, None, [], {}]},
    {"data": {"total": 2, "projects": [ROW, ROW], "more": {"id": 1, "other": 2}}, "success": True},
    {"success": True, "data": []},
    {"success": True, "data": {}},
    {"success": False, "error": {"code": 12, "msg": "no"}},
    {"data": None, "n": 12},
    [],
    "text",
    12,
]


def shortened(content, *, chunk=1 << 16, most=1 << 20):
    stream = io.BytesIO(content)
    return ListStream(lambda size: stream.read(min(size, chunk)), wanted=WANTED, most=most).content()


def expected(value, depth=0):
    if isinstance(value, dict) and depth < 2:
        return {name: expected(one, depth + 1) for name, one in value.items()}
    if isinstance(value, list) and depth < 3:
        return [{n: v for n, v in row.items() if n in WANTED} if isinstance(row, dict) else row for row in value]
    return value


@pytest.mark.parametrize("chunk", [1, 2, 7, 1 << 16])
@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"separators": (",", ":"), "ensure_ascii": False}])
def test_the_shape_stays_and_rows_keep_wanted_fields(answer, chunk, layout):
    content = json.dumps(answer, **layout).encode("utf-16", "surrogatepass").decode("utf-16").encode()
    assert json.loads(shortened(content, chunk=chunk)) == json.loads(json.dumps(expected(json.loads(content))))


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"<html>", b'{"a"', b'{"a": [1 2]}', b'{"a": [1,]}', b'{"a" 1}', b"[1] 2", b'{"a": [{"id"', b"\xff"],
)
def test_what_is_not_json_is_not_read(content):
    for chunk in (1, 100):
        with pytest.raises(ValueError):  # noqa: PT011
            shortened(content, chunk=chunk)


def test_a_long_list_takes_no_memory():
    """80 MB of projects, of which each is 80 KB."""
    row = json.dumps({"id": "0123456789", "name": "n", "scenes": ["x" * 80_000]}).encode()
    pieces = iter([b'{"success": true, "data": [', *([row + b","] * 1000), row, b"]}"])
    tracemalloc.start()
    try:
        content = ListStream(lambda _: next(pieces, b""), wanted=WANTED, most=1 << 20).content()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(json.loads(content)["data"]) == 1001
    assert peak < 4 << 20


def test_what_is_kept_has_a_limit():
    with pytest.raises(TooLong):
        shortened(json.dumps({"data": [{"id": "x" * 1000}] * 100}).encode(), most=50_000)


def test_one_row_has_a_limit(monkeypatch):
    monkeypatch.setattr(list_stream, "LONGEST_ROW", 1000)
    with pytest.raises(TooLong):
        shortened(json.dumps({"data": [{"id": "x", "scenes": "y" * 2000}]}).encode(), chunk=100)
