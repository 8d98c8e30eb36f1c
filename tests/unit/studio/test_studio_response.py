"""Response classification, redaction, and what a fault carries: rules over values, no sockets."""

import json
import pickle

import pytest

from renderline.studio.endpoint import Endpoint, origin_of
from renderline.studio.faults import (
    CreditExhausted,
    OutcomeUnknown,
    PayloadRefused,
    ProjectMissing,
    RateLimited,
    StudioFault,
    TokenRejected,
    VendorUnavailable,
)
from renderline.studio.redaction import private_texts, redact
from renderline.studio.response import Response, classify, error_of

READ = Endpoint("GET", "/read", of_project=True)
EFFECT = Endpoint("POST", "/effect", effect=True)
NO = {"success": False, "error": {"code": 7, "msg": "no"}}

TABLE = [
    (200, NO, {}, PayloadRefused, PayloadRefused),
    (200, {"error": {"code": 7}}, {}, PayloadRefused, PayloadRefused),
    (200, [], {}, VendorUnavailable, OutcomeUnknown),
    (204, None, {}, VendorUnavailable, OutcomeUnknown),
    (301, {}, {}, VendorUnavailable, OutcomeUnknown),
    (400, NO, {}, PayloadRefused, PayloadRefused),
    (400, {"success": True}, {}, PayloadRefused, PayloadRefused),
    (401, NO, {}, TokenRejected, TokenRejected),
    (401, None, {}, TokenRejected, TokenRejected),
    (402, NO, {}, CreditExhausted, CreditExhausted),
    (402, None, {}, CreditExhausted, CreditExhausted),
    (200, {"success": False, "error": {"msg": "Not enough credits"}}, {}, CreditExhausted, CreditExhausted),
    (400, {"success": False, "error": {"msg": "insufficient credit"}}, {}, CreditExhausted, CreditExhausted),
    (400, {"success": False, "error": {"msg": "bad scene; no credits were used"}}, {}, PayloadRefused, PayloadRefused),
    (403, NO, {}, TokenRejected, TokenRejected),
    (403, {"message": "Forbidden"}, {}, TokenRejected, TokenRejected),
    (403, None, {}, VendorUnavailable, OutcomeUnknown),
    (400, None, {}, VendorUnavailable, OutcomeUnknown),
    (404, {"message": "no Route matched"}, {}, VendorUnavailable, OutcomeUnknown),
    (405, [], {}, VendorUnavailable, OutcomeUnknown),
    (413, None, {}, PayloadRefused, PayloadRefused),
    (404, NO, {}, ProjectMissing, PayloadRefused),
    (404, None, {}, VendorUnavailable, OutcomeUnknown),
    (408, None, {}, VendorUnavailable, OutcomeUnknown),
    (429, None, {}, RateLimited, RateLimited),
    (500, NO, {}, VendorUnavailable, OutcomeUnknown),
    (503, NO, {}, VendorUnavailable, OutcomeUnknown),
    (503, NO, {"Retry-After": "1"}, RateLimited, OutcomeUnknown),
    (504, None, {"Retry-After": "1"}, VendorUnavailable, OutcomeUnknown),
]


@pytest.mark.parametrize(("status", "body", "headers", "of_read", "of_effect"), TABLE)
def test_each_answer_has_one_meaning(status, body, headers, of_read, of_effect):
    answer = Response(status, headers, b"" if body is None else json.dumps(body).encode())
    for endpoint, expected in ((READ, of_read), (EFFECT, of_effect)):
        with pytest.raises(StudioFault) as caught:
            classify(endpoint, answer, now=0.0)
        assert type(caught.value) is expected
        assert caught.value.status == status
        assert caught.value.endpoint == str(endpoint)


@pytest.mark.parametrize("body", [{"success": True, "data": {}}, {"progress": 1}, {"success": True, "error": None}])
def test_a_success_is_returned_whole(body):
    assert classify(READ, Response(200, {}, json.dumps(body).encode()), now=0.0) == body


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (NO, ("7", "no")),
        ({"error": {"code": "E_X", "message": "why"}}, ("E_X", "why")),
        ({"success": False, "msg": "v2 says no"}, (None, "v2 says no")),
        ({"error": "just text"}, (None, "just text")),
        ({"error": {"code": {"odd": 1}, "msg": 5}}, (None, None)),
        ({"error": None}, (None, None)),
        (None, (None, None)),
    ],
)
def test_code_and_message_are_found_in_every_form(body, expected):
    assert error_of(body) == expected


LONG = "a sentence that nobody may read outside"


@pytest.mark.parametrize(
    ("message", "secrets", "shown"),
    [
        ("plain words", [LONG], "plain words"),
        (f"cannot say: {LONG}!", [LONG], "cannot say: [...]!"),
        (f"cut: {LONG[3:25]} and on", [LONG], "cut: [...] and on"),
        (f"LOUD: {LONG.upper()}", [LONG], "LOUD: [...]"),
        ("say Hi. twice: Hi.", ["Hi."], "say [...] twice: [...]"),
        ("orientation", ["ori"], "orientation"),
        ("line\none\ttab", [""], "line one tab"),
    ],
)
def test_secrets_are_concealed_where_they_stand(message, secrets, shown):
    assert redact(message, secrets) == shown


def test_a_long_message_is_shortened():
    assert len(redact("x" * 5000, ["y" * 5000])) == 300


def test_private_texts_are_speech_text_and_callback_addresses():
    body = {
        "name": "public",
        "scenes": [
            {
                "scripts": [{"org": "<p>one</p>", "modelId": "M1"}],
                "clips": [{"script": {"org": "two"}, "text": "three"}],
            },
            {"AIModel": {"script": "four", "model": "M2"}},
        ],
        "webhookUrl": "https://five",
    }
    found = {text for text in private_texts(body) if text}
    assert found == {"<p>one</p>", "one", "two", "three", "four", "https://five"}


@pytest.mark.parametrize(
    "kind", [VendorUnavailable, RateLimited, TokenRejected, PayloadRefused, ProjectMissing, OutcomeUnknown]
)
def test_a_fault_survives_pickling_and_tells_all_in_one_line(kind):
    fault = pickle.loads(pickle.dumps(kind("why", endpoint="GET /x", status=418, code="7", retry_after=2.0)))
    assert type(fault) is kind
    assert (fault.endpoint, fault.status, fault.code, fault.message, fault.retry_after) == (
        "GET /x",
        418,
        "7",
        "why",
        2.0,
    )
    assert str(fault) == "GET /x HTTP 418 [7]: why"
    assert str(kind("why")) == "why"


def test_a_fault_can_be_recast_with_all_it_found():
    fault = TokenRejected("why", endpoint="GET /x", status=403, code="7").recast(PayloadRefused)
    assert (type(fault), fault.endpoint, fault.status, fault.code) == (PayloadRefused, "GET /x", 403, "7")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "https://app.aistudios.com/", " https://app.aistudios.com "])
def test_a_base_url_is_scheme_and_host(url):
    assert origin_of(url) == url.strip().rstrip("/")


@pytest.mark.parametrize(
    "url", ["", "app.aistudios.com", "ftp://x", "https://", "https://x/api/odin/v3", "https://u:p@x", "https://x?y=1"]
)
def test_any_other_base_url_is_refused(url):
    with pytest.raises(ValueError, match="base URL"):
        origin_of(url)
