"""Whatever the vendor or a webhook sends, the parsers return a documented shape or raise a documented error.

A long run: pytest tests/unit/fuzz --hypothesis-profile long
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.json_texts import json_bytes
from renderline.gateway.webhook_payload import parse_webhook
from renderline.http.retry_after import parse_retry_after
from renderline.signed_urls.webhook_urls import WebhookSubject, WebhookUrls
from renderline.studio import StudioFault
from renderline.studio.endpoint import Endpoint
from renderline.studio.json_text import cleaned
from renderline.studio.list_stream import ListStream, TooLong
from renderline.studio.progress import (
    Unreadable,
    key_v2,
    percent_of,
    progress_v2,
    progress_v3,
    project_v3,
    summaries_v3,
)
from renderline.studio.response import Response, classify, decode

NAMES = [
    "success",
    "error",
    "data",
    "code",
    "msg",
    "message",
    "progress",
    "downloadUrl",
    "download_url",
    "state",
    "_id",
    "id",
    "name",
    "project",
    "url",
    "videoUrl",
    "key",
    "credit",
    "creditSubstracted",
    "backendTaskId",
    "updatedAt",
    "ai_progress_update_loc",
]
BODIES = json_bytes(NAMES)
HEADER = st.text(st.characters(max_codepoint=255), max_size=40)
SECRET = "the sentence that nobody may read"


def assert_storable(value: Any) -> None:
    """Assert that a text has bytes, and neither NUL nor the escapes of a terminal."""
    if isinstance(value, str):
        value.encode()
        assert not {"\x00", "\x1b", "\x7f", "\x9b"} & set(value)


@given(content=BODIES)
def test_decoded_answers_hold_only_storable_texts(content):
    body = decode(content)
    assert body is None or isinstance(body, dict)
    assert cleaned(body) == body or "nan" in repr(body)


@given(content=BODIES)
@example(b'{"progress": 1e999}')
@example(b'{"data": {"progress": "1e999"}}')
def test_reports_are_read_or_unreadable(content):
    body = decode(content)
    if body is None:
        return
    for read, value in ((progress_v3, body.get("data")), (progress_v3, body), (progress_v2, body)):
        try:
            found = read(value)
        except Unreadable:
            continue
        assert 0 <= found.progress <= 100
        for text in (found.download_url, found.state, found.error_code, found.error_message):
            assert_storable(text)
            assert text is None or 0 < len(text) <= 8192
    for value in (body.get("data"), body):
        try:
            assert project_v3(value).id
            assert isinstance(summaries_v3(value), list)
        except Unreadable:
            continue
    assert_storable(key_v2(body))


@given(value=st.integers() | st.floats() | st.text() | st.none() | st.booleans())
@example(10**5000)
@example(-(10**5000))
@example("9" * 5000)
def test_a_percentage_is_within_its_range(value):
    with contextlib.suppress(Unreadable):
        assert 0 <= percent_of(value) <= 100


@given(
    status=st.integers(100, 599),
    content=BODIES,
    kind=HEADER,
    wait=HEADER,
    effect=st.booleans(),
    quoted=st.booleans(),
)
def test_an_answer_is_an_envelope_or_a_fault_in_one_printable_line(status, content, kind, wait, effect, quoted):
    if quoted:
        content = json.dumps({"success": False, "error": {"code": SECRET, "msg": f"{wait} {SECRET}"}}).encode()
    endpoint = Endpoint("POST", "/x", effect=effect)
    headers = {"Content-Type": kind, "Retry-After": wait}
    try:
        envelope = classify(endpoint, Response(status, headers, content), secrets=[SECRET], now=1e9)
    except StudioFault as fault:
        assert str(fault).isprintable()
        assert len(str(fault)) < 600
        assert SECRET[:12] not in str(fault)
        assert fault.retry_after is None or 0 <= fault.retry_after <= 300
    else:
        assert isinstance(envelope, dict)
        assert 200 <= status < 300


@given(content=BODIES, chunk=st.integers(1, 64), most=st.integers(0, 4000))
def test_a_list_is_shortened_or_refused(content, chunk, most):
    stream = io.BytesIO(content)
    reader = ListStream(lambda size: stream.read(min(size, chunk)), wanted=("id", "name"), most=most)
    try:
        shortened = reader.content()
    except TooLong:
        return
    except (ValueError, RecursionError):
        with pytest.raises((ValueError, RecursionError)):
            json.loads(content.decode("utf-8"))
        return
    assert len(shortened) <= 6 * most
    json.loads(shortened)


@given(
    wait=HEADER
    | st.sampled_from(["9" * 5000, "1e308", "-5", "Thu, 01 Jan 1970 00:00:00 -0000", "1 Jan 1 0:0:0 -0000"]),
    date=HEADER,
)
@example("Mon, 01 Jan 0001 00:00:00 -0000", "")
@example("1 Jan 9999 99:99:99 +9999", "1 Jan 1")
def test_a_wait_is_within_its_range(wait, date):
    found = parse_retry_after({"Retry-After": wait, "Date": date}, now=1e9, longest=300.0)
    assert found is None or (math.isfinite(found) and 0 <= found <= 300)


@given(query=BODIES, body=BODIES)
def test_a_webhook_is_always_read(query, body):
    found = parse_webhook(query, body)
    assert found.progress is None or 0 <= found.progress <= 100
    assert found.credit is None or (math.isfinite(found.credit) and found.credit >= 0)
    assert found.url is None or found.url.lower().startswith(("http://", "https://"))
    for text in (found.url, found.project_id):
        assert text is None or text.isprintable()


URLS = WebhookUrls("https://render.test", "k" * 40, clock=lambda: 1e9)


@given(
    render=st.text(max_size=40),
    signature=st.text(max_size=80) | st.from_regex(r"[0-9-]{1,9}\.[0-9]{1,12}\.[0-9a-f]{64}"),
)
def test_no_signature_but_ours_is_genuine(render, signature):
    assert URLS.verify(render, signature) is None


@given(attempt=st.integers(1, 99), draft=st.integers(1, 9), place=st.integers(0, 200), letter=st.characters())
def test_a_changed_signature_is_not_genuine(attempt, draft, place, letter):
    *_, signature = URLS.url("f" * 32, attempt=attempt, draft=draft, seconds=5).split("/")
    assert URLS.verify("f" * 32, signature) == WebhookSubject(attempt, draft)
    place %= len(signature)
    changed = signature[:place] + letter + signature[place + 1 :]
    assert changed == signature or URLS.verify("f" * 32, changed) is None
