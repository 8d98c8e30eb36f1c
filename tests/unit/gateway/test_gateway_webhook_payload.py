"""What a webhook says, in every form that the vendor's documentation allows, and in malformed ones."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderline.gateway.webhook_payload import WebhookPayload, parse_webhook

DONE = {"progress": 100, "credit": 1, "backendTaskId": "t1", "download_url": "https://v.test/1.mp4"}
PAYLOAD = WebhookPayload(100.0, 1.0, "https://v.test/1.mp4", None)
V2 = (
    b"ai_progress_update_loc=ai-video%2F-N4qJq7DwnRjBQ7iozRc%2F&videoUrl=https%3A%2F%2Fv.test%2F2.mp4&duration=3.274014"
)
PAYLOAD_V2 = WebhookPayload(100.0, None, "https://v.test/2.mp4", "-N4qJq7DwnRjBQ7iozRc")


def as_json(value):
    return json.dumps(value).encode()


FORMS = {
    "flat": (b"", as_json(DONE), PAYLOAD),
    "wrapped": (b"", as_json({"success": True, "data": DONE}), PAYLOAD),
    "in data alone": (b"", as_json({"data": DONE}), PAYLOAD),
    "in a list": (b"", as_json([DONE]), PAYLOAD),
    "encoded twice": (b"", as_json(json.dumps(DONE)), PAYLOAD),
    "a form": (b"", b"progress=100&credit=1&download_url=https%3A%2F%2Fv.test%2F1.mp4", PAYLOAD),
    "a query": (b"progress=100&credit=1&download_url=https://v.test/1.mp4", b"", PAYLOAD),
    "with a byte order mark": (b"", b"\xef\xbb\xbf" + as_json(DONE), PAYLOAD),
    "in UTF-16": (b"", json.dumps(DONE).encode("utf-16"), PAYLOAD),
    "numbers as text": (b"", as_json({**DONE, "progress": "100", "credit": "1"}), PAYLOAD),
    "other spelling of the address": (
        b"",
        as_json({"progress": 100, "credit": 1, "downloadUrl": PAYLOAD.url}),
        PAYLOAD,
    ),
    "under way": (b"", as_json({"progress": 25, "backendTaskId": "t1"}), WebhookPayload(25.0)),
    "under way, with fields that say nothing": (
        b"",
        as_json({"progress": 25.5, "credit": None, "download_url": ""}),
        WebhookPayload(25.5),
    ),
    "no progress, but a video": (b"", as_json({"download_url": PAYLOAD.url}), WebhookPayload(100.0, None, PAYLOAD.url)),
    "v2": (V2, b"", PAYLOAD_V2),
    "v2 with bare slashes": (
        b"ai_progress_update_loc=ai-video/-N4qJq7DwnRjBQ7iozRc/&videoUrl=https://v.test/2.mp4",
        b"",
        PAYLOAD_V2,
    ),
    "v2 posted": (b"", V2, PAYLOAD_V2),
    "v2 behind a query of ours": (b"x=1&" + V2, b"", PAYLOAD_V2),
    "v2 behind a query of ours, with a second question mark": (b"x=1?" + V2, b"", PAYLOAD_V2),
    "v2 with a bare question mark in its URL": (
        b"ai_progress_update_loc=ai-video/-N4qJq7DwnRjBQ7iozRc/&videoUrl=https://v.test/2.mp4?x=1",
        b"",
        WebhookPayload(100.0, None, "https://v.test/2.mp4?x=1", "-N4qJq7DwnRjBQ7iozRc"),
    ),
}


@pytest.mark.parametrize(("query", "body", "payload"), FORMS.values(), ids=FORMS)
def test_a_form_that_says_something(query, body, payload):
    assert parse_webhook(query, body) == payload


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"100",
        b"[]",
        b"[[1]]",
        b"{}",
        b'"text"',
        b'{"data": null}',
        b'{"data": [1]}',
        b'{"progress": 100',
        b"\x00\xff\xfe",
        b"[" * 60_000,
        b"9" * 60_000,
        b"&".join(b"a=1" for _ in range(5000)),
        b"<xml/>",
    ],
    ids=lambda body: body[:12].decode(errors="replace"),
)
def test_a_body_that_says_nothing(body):
    assert parse_webhook(b"", body) == WebhookPayload()


@pytest.mark.parametrize("value", [True, False, None, "", "all", [100], {"a": 1}, "nan", "inf", -1, "-5", "1e999"])
def test_a_number_that_is_none(value):
    assert parse_webhook(b"", as_json({"progress": value, "credit": value})) == WebhookPayload()


@pytest.mark.parametrize("text", [b'{"progress": NaN}', b'{"progress": 1e999}', b'{"progress": -Infinity}'])
def test_json_that_is_none(text):
    assert parse_webhook(b"", text) == WebhookPayload()


def test_more_than_everything_is_everything():
    assert parse_webhook(b"", as_json({"progress": 250})).progress == 100.0


@pytest.mark.parametrize(
    "value",
    [
        "",
        "v.test/1.mp4",
        "ftp://v.test/1.mp4",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://[v.test/1.mp4",
        "https://v.test/a b",
        "https://v.test/a\nb",
        "https://v.test/\x00",
        "https://v.test/" + "a" * 5000,
        17,
        ["https://v.test/1.mp4"],
    ],
)
def test_an_address_that_is_none(value):
    assert parse_webhook(b"", as_json({"download_url": value})) == WebhookPayload()


@pytest.mark.parametrize(
    "place",
    ["", "/", "ai-video", "ai-video/", "a/b c/", "a/../", "a/<b>/", "a/é/", "a/" + "k" * 300, 5, None, ["a/b/"]],
)
def test_a_place_without_a_key(place):
    assert parse_webhook(b"", as_json({"ai_progress_update_loc": place})) == WebhookPayload()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_nothing_that_arrives_breaks_it(query, body):
    payload = parse_webhook(query, body)
    assert payload.progress is None or 0 <= payload.progress <= 100


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["data", "progress", "credit", "download_url", "videoUrl", "ai_progress_update_loc"]),
                inner,
            )
        ),
    )
)
def test_no_json_breaks_it(value):
    payload = parse_webhook(b"", as_json(value))
    assert payload.url is None or payload.url.startswith("http")
