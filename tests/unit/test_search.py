"""The text of a search becomes a filter, or one sentence says what is wrong with it."""

import pytest

from renderline.ledger import Filter
from renderline.ledger.indexed import folded, texts_of
from renderline.search import SearchError, parse_search

NOW = 1_800_000_000.0
RECORD = {
    "id": "0" * 32,
    "kind": "project",
    "account": "main",
    "tenant": "default",
    "priority": "normal",
    "name": "Welcome, Customer 317",
    "error": {"code": "50010", "message": "No credit", "origin": "vendor"},
    "metadata": {"customer": 317, "order": "A-17"},
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Filter()),
        ("customer 317", Filter(text="customer 317")),
        ('state:failed account:main kind:project tenant:acme name:"Customer 317"', Filter(
            state="failed", account="main", kind="project", tenant="acme", name="Customer 317"
        )),
        ("code:50010 key:a key:b since:1h", Filter(error_code="50010", keys=("a", "b"), after=NOW - 3600)),
        ("until:2026-01-01 held:yes customer:317", Filter(
            before=1767225600.0, held=True, metadata=(("customer", "317"),)
        )),
        ("STATE:Failed it's", Filter(state="failed", text="it's")),
        (f"id:{'a' * 32} priority:high held:no", Filter(ids=("a" * 32,), priority="high", held=False)),
        ('order:"A 17" :x', Filter(metadata=(("order", "A 17"),), text=":x")),
    ],
)  # fmt: skip
def test_a_text_becomes_a_filter(text, wanted):
    assert parse_search(text, now=NOW) == wanted


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("state:done", "state:done is unknown; it must be one of accepted, submitting"),
        ("since:yesterday", "since:yesterday is no time; write how long ago"),
        ("since:999999999d until:99999999999999w", "is no time"),
        ("held:maybe", "must be yes or no"),
        ("state:failed state:expired", "state: is given twice; once is allowed"),
        ("name:", "name: needs a value"),
        ('name:"Customer', "is not closed"),
        ("x" * 1001, "has 1001 characters; at most 1000"),
        ("x " * 101, "has 101 terms; at most 100"),
        ("x " * 9 + '"' + "y " * 8 + '" state:failed', "has 17 words beside its pairs; at most 16"),
    ],
)
def test_a_wrong_text_is_refused_with_a_sentence(text, says):
    with pytest.raises(SearchError, match=says):
        parse_search(text, now=NOW)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Filter(name="welcome, CUST"), True),
        (Filter(name="customer"), False),
        (Filter(text="customer 317"), True),
        (Filter(text="317 welcome"), True),
        (Filter(text="ustomer"), False),
        (Filter(text="a-17"), True),
        (Filter(text="0" * 32), True),
        (Filter(text="317 nobody"), False),
        (Filter(text="\ud800"), True),
        (Filter(error_code="50010", held=False, priority="normal"), True),
        (Filter(error_code="5001"), False),
        (Filter(held=True), False),
        (Filter(metadata=(("customer", "317"),)), True),
        (Filter(ids=("1" * 32,)), False),
        (Filter(keys=("k", "\ud800")), False),
    ],
)
def test_a_filter_takes_what_matches_all_its_fields(wanted, taken):
    assert wanted.takes(RECORD, labels=("order",)) is taken


def test_texts_are_compared_without_case_control_characters_and_double_spaces():
    assert folded("  Straße\x00\x1b[31m  №1\n") == "strasse [31m №1"
    assert folded("x" * 100) == "x" * 64


def test_a_name_is_found_by_its_beginning_and_by_its_most_telling_word():
    found = texts_of("Video for the Customer 317", {"order": "A-17", "other": "b", "empty": " "}, ("order", "empty"))
    assert found == [
        ("", "video for the customer 317"),
        ("", "317"),
        ("order", "a-17"),
    ]
