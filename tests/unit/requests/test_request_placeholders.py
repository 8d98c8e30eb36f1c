"""Request templates: placeholders in any text, filled by a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderline.requests import RequestTemplate

TEMPLATE = RequestTemplate(
    {"name": "For {{ name }}", "scenes": [{"script": "Hi {{name}}, {{city}} calls."}], "metadata": {"n": "{{count}}"}}
)


def test_the_columns_are_named_in_order_with_their_first_place():
    assert TEMPLATE.columns == {"name": "name", "city": "scenes.0.script", "count": "metadata.n"}
    assert TEMPLATE.columns_at["scenes.0.script"] == ("name", "city")


def test_every_text_is_filled_and_a_lone_placeholder_keeps_the_type():
    row = {"name": "Ann", "city": "Oslo", "count": 3, "unused": None}
    assert TEMPLATE.fill(row) == {
        "name": "For Ann",
        "scenes": [{"script": "Hi Ann, Oslo calls."}],
        "metadata": {"n": 3},
    }
    assert TEMPLATE.fill({**row, "city": 7})["scenes"][0]["script"] == "Hi Ann, 7 calls."
    assert TEMPLATE.data["name"] == "For {{ name }}", "the template stays as it is"


def test_a_filled_text_is_not_filled_again():
    assert RequestTemplate("{{a}} {{b}}").fill({"a": "{{b}}", "b": "x"}) == "{{b}} x"


def test_a_row_without_the_column_is_an_error():
    with pytest.raises(KeyError, match="city"):
        TEMPLATE.fill({"name": "Ann", "count": 1})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8))  # fmt: skip
def test_what_has_no_placeholder_stays_as_it_is(data):
    template = RequestTemplate(data)
    if not template.columns:
        assert template.fill({}) == data
