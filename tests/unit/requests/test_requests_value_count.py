"""The number of values in JSON text is limited before anything is parsed or walked."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderline.requests import RequestRefused
from renderline.requests.loading import load_request
from renderline.validation.json_limits import BYTES_PER_VALUE, has_more_values

MIB = 1 << 20
VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def signs(value):
    """Return how many commas and opening brackets the JSON of a value has outside of strings."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(0, len(value) - 1) + sum(map(signs, inner))
    return 0


@given(VALUES, st.booleans())
def test_what_is_in_a_string_does_not_count(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only)
    for form in (text, text.encode(errors="surrogatepass")):
        assert not has_more_values(form, signs(value))
        assert signs(value) == 0 or has_more_values(form, signs(value) - 1)


@given(st.text('\\"[,{a') | st.text())
def test_any_text_is_counted(text):
    assert has_more_values(text, 3) == has_more_values(text.encode(errors="surrogatepass"), 3)


@pytest.mark.parametrize("part", [b"[],", b"{},", b'"",', b'"', b'\\"', b"[", b"\\", b',"\\'])
def test_eight_megabytes_of_anything_are_counted_at_once(part):
    text = b'{"requests": ["' + part * (8 * MIB // len(part))
    before = time.process_time()
    has_more_values(text, 8 * MIB // 20)
    assert time.process_time() - before < 1.0


def refusal(request):
    with pytest.raises(RequestRefused) as refused:
        load_request(request, accounts=("default",), hook_kinds={}, max_bytes=MIB)
    return refused.value.errors


def test_a_request_of_many_small_values_is_refused_before_it_is_walked():
    most = MIB // BYTES_PER_VALUE
    errors = refusal({"kind": "project", "payload": {"scenes": [[]] * (2 * most)}})
    assert list(errors) == ["payload"]
    assert f"at most {most}" in errors["payload"][0]


def test_a_script_of_half_a_megabyte_of_commas_is_not_too_many_values():
    errors = refusal({"kind": "film", "script": ", " * (MIB // 4)})
    assert "kind" in errors
    assert not any("too many values" in message for messages in errors.values() for message in messages)
