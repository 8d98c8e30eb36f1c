"""How request files are read."""

import json

import pytest

from workers.cli.request_files import Item, Unreadable, all_items, items, value_at


def test_an_object_is_one_request_and_a_list_several():
    assert items("a", b'{"kind": "project"}') == [Item("a", {"kind": "project"})]
    assert items("a", b"[1, 2]") == [Item("a[0]", 1), Item("a[1]", 2)]


def test_json_lines_are_named_by_their_line():
    assert items("a", b'{"a": 1}\n\n{"b": 2}\n') == [Item("a line 1", {"a": 1}), Item("a line 3", {"b": 2})]


def test_a_byte_order_mark_is_no_content():
    assert items("a", b"\xef\xbb\xbf{}") == [Item("a", {})]


def test_pretty_json_is_not_taken_for_lines():
    with pytest.raises(Unreadable) as caught:
        items("a", json.dumps({"a": [1]}, indent=2).encode()[:-1])
    (line,) = caught.value.lines
    assert "line 5" in line


def test_all_wrong_lines_of_all_files_are_told():
    with pytest.raises(Unreadable) as caught:
        all_items(iter([("a", b'{}\n{\n"'), ("b", b""), ("c", b"{}")]))
    assert [line.partition(":")[0] for line in caught.value.lines] == ["a line 2", "a line 3", "b"]


def test_a_value_at_a_path():
    assert value_at({"a": {"b": 1}}, "a.b") == 1
    assert value_at({"a": 1}, "a.b") is None
    assert value_at([], "a") is None
