"""Every body of the vendor's public pages that a kind of render sends is taken, without a warning.

The corpus was made from the pages of May 2026 for API v3 and v2, versions 1.3 to 1.6, in English, Korean and Chinese:
each object in a code block of theirs was read by a parser that also takes trailing commas, quotes of both sorts,
comments, and the literals of Python and JavaScript. Bodies that are equal after that are one row with several pages.
Kept is what the bodies say about the API; texts and addresses are ours. Left out are bodies that consist of variables,
answers, the interactive avatars, and other objects of the samples (headers, options of libraries).
"""

from __future__ import annotations

import re

import pytest

from harness.requests import build
from harness.vendor_corpus import as_named_request, rows, supported
from renderline.kinds import KINDS
from renderline.requests import RequestRefused, as_request

ROWS = rows()
_PAGE = re.compile(r"(en|ko|zh) (1\.[3-6]|current) (aistudios|aistudioV3)/[\w/-]+")


def ids(row):
    return row["id"]


def test_the_table_says_where_each_body_is_from_and_what_becomes_of_it():
    assert len({row["id"] for row in ROWS}) == len(ROWS) > 40
    for row in ROWS:
        assert row["pages"], row["id"]
        assert all(map(_PAGE.fullmatch, row["pages"])), row["id"]
        assert row["mended"], row["id"]
        assert (row["expected"] == "no kind") == (row["kind"] is None) == ("why" in row), row["id"]
    assert {page.split()[0] for row in ROWS for page in row["pages"]} == {"en", "ko", "zh"}
    assert {page.split()[1] for row in ROWS for page in row["pages"]} == {"1.3", "1.4", "1.5", "1.6", "current"}


@pytest.mark.parametrize("row", supported(), ids=ids)
def test_a_body_of_the_vendors_pages_is_taken_without_a_warning(load, row):
    loaded = load(as_named_request(row))
    assert loaded.kind == row["kind"]
    assert loaded.warnings == ()


@pytest.mark.parametrize("row", supported(), ids=ids)
def test_a_bare_body_is_recognised_or_needs_its_kind(row):
    if row["expected"] == "taken":
        assert as_request(row["body"]) == {"kind": row["kind"], "payload": row["body"]}
    else:
        with pytest.raises(RequestRefused):
            as_request(row["body"])


WITHDRAWN = [row for row in ROWS if row["id"].startswith("modify")]


@pytest.mark.parametrize("row", [row for row in ROWS if row["kind"] is None and row not in WITHDRAWN], ids=ids)
def test_a_body_that_renders_nothing_is_no_request(row):
    with pytest.raises(RequestRefused):
        as_request(row["body"])


@pytest.mark.parametrize("row", WITHDRAWN, ids=ids)
def test_the_body_of_a_withdrawn_call_is_refused(load, row):
    request = as_request(row["body"])
    with pytest.raises(RequestRefused):
        load(request)


@pytest.mark.parametrize("row", supported(), ids=ids)
def test_what_is_sent_says_what_the_page_says(load, row):
    kind = KINDS[row["kind"]]
    sent = build(load(as_named_request(row)), name="n")
    left_out = {"isExport", "name", *kind.export_fields, *(kind.target[1:] if kind.target else ())}
    renamed = {"model": "aiName", "clothes": "clothId"} if kind.name == "template" else {}
    for field, value in row["body"].items():
        if field not in left_out:
            expected = (
                {"value": value} if field == "updates" and isinstance(value, list) and kind.api == "v3" else value
            )
            assert sent[renamed.get(field, field)] == expected
