"""Which bytes a `Range` header asks for: RFC 9110, section 14; one range, or the whole file."""

from __future__ import annotations

import pytest

from renderline.gateway.byte_range import ByteRange, Unsatisfiable, wanted_range

SIZE = 1000


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, 999),
        ("bytes=0-0", 0, 0),
        ("bytes=0-499", 0, 499),
        ("bytes=500-999", 500, 999),
        ("bytes=999-", 999, 999),
        ("bytes=0-99999", 0, 999),
        (f"bytes=0-{'9' * 5000}", 0, 999),
        ("bytes=-1", 999, 999),
        ("bytes=-500", 500, 999),
        ("bytes=-1000", 0, 999),
        ("bytes=-5000", 0, 999),
        (f"bytes=-{'9' * 5000}", 0, 999),
        ("BYTES=0-1", 0, 1),
        (" bytes = 0-1 ", 0, 1),
        (f"bytes={'0' * 500}7-8", 7, 8),
    ],
)
def test_one_range(header, first, last):
    assert wanted_range(header, SIZE) == ByteRange(first, last)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-2",
        "bytes=-1-2",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=1.0-2",
        "bytes=0x1-2",
        "bytes=\u0661-\u0662",
        "bytes=1_0-20",
        "seconds=0-1",
        "bytes=0-1,5-6",
        "bytes=0-,0-,0-,0-",
        "bytes=" + ",".join(["0-0"] * 5000),
        "bytes=0-0;x",
        "bytes=0 -1",
    ],
)
def test_a_header_that_is_ignored_gives_the_whole_file(header):
    assert wanted_range(header, SIZE) is None


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", f"bytes={'9' * 5000}-"])
def test_a_range_outside_the_file_cannot_be_satisfied(header):
    with pytest.raises(Unsatisfiable):
        wanted_range(header, SIZE)


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=0-0", "bytes=-1"])
def test_an_empty_file_has_no_range(header):
    with pytest.raises(Unsatisfiable):
        wanted_range(header, 0)


def test_what_the_answer_says():
    assert ByteRange(500, 999).length == 500
    assert ByteRange(500, 999).content_range(SIZE) == "bytes 500-999/1000"
