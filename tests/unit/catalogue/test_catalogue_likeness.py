"""A hint is given only for what was really meant."""

import pytest

from renderline.catalogue.likeness import meant, one_error

ROWS = [
    {"id": "M000045058", "label": {"en": "Jonathan", "ko": "조나단"}},
    {"id": "M000004017", "label": {"en": "Ruby"}},
    {"id": "custom-anna", "label": "Anna"},
]


@pytest.mark.contradiction(23)
@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("m000045058", "M000045058"),
        ("Ruby", "M000004017"),
        ("ruby", "M000004017"),
        ("M0000450", None),  # two missing
        ("M00045058", "M000045058"),
        ("M000045085", "M000045058"),
        ("custom-ana", "custom-anna"),
        ("M999999999", None),
        ("M000045059", None),  # another number
        ("", None),
    ],
)
def test_a_typing_error_or_a_label_leads_to_the_id(wrong, hint):
    assert meant(wrong, ROWS, "id") == hint


def test_of_two_ids_that_are_as_near_none_was_more_likely_meant():
    rows = [{"id": "BG00002320"}, {"id": "BG00002321"}]
    assert meant("BG00002322", rows, "id") is None
    assert meant("BG00002320x", rows, "id") == "BG00002320"


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("abcd", "abcd", True),
        ("abcd", "abxd", True),
        ("abcd", "abd", False),  # too short to tell
        ("abcde", "abde", True),
        ("abcde", "acbde", True),
        ("abcde", "axcye", False),
        ("aaaaa", "aaaa", True),
        ("item-1", "item-2", False),
        ("item-1", "item-l", True),
        ("abcdef", "abcd", False),
    ],
)
def test_one_error(one, other, alike):
    assert one_error(one, other) is one_error(other, one) is alike
