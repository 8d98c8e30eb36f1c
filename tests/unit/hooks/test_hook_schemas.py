"""What a request may say about its hooks, and what is refused at the door."""

import posixpath
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from renderline.hooks import CeleryHook, DownloadHook, HttpHook
from renderline.hooks.file_name import file_name, path_fault
from renderline.tenants import Tenant, Tenants

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TENANTS = Tenants(unlisted=Tenant(name="default", hook_secrets=(SECRET,)))

ACCEPTED = [
    {"type": "download"},
    {"type": "download", "path": "orders/{name} {id}.mp4"},
    {"type": "download", "path": "영상/{kind}.{ext}"},
    {"type": "download", "url": "file:///videos/a%20b"},
    {"type": "download", "url": "memory://bucket/prefix"},
    {"type": "http", "url": "https://example.com/done"},
    {"type": "http", "url": "http://example.com:8080/done?order=A-17", "events": ["render.failed"]},
    {"type": "http", "url": "https://[2606:2800:220:1::1]/done"},
    {"type": "http", "url": "https://example.com/done", "retry_for": 3600, "attempts": 100},
    {"type": "http", "url": "https://bücher.example/done"},
    {"type": "celery", "task": "billing.video_ready", "queue": "billing"},
    {"type": "celery", "task": "billing:ready-2", "queue": "a.b-c_d", "events": ["render.completed", "render.expired"]},
]

REFUSED = [
    ({"type": "download", "path": "../x.mp4"}, "path", "dot"),
    ({"type": "download", "path": "a/../../x.mp4"}, "path", "dot"),
    ({"type": "download", "path": "/etc/passwd"}, "path", "relative"),
    ({"type": "download", "path": "~root/x"}, "path", "tilde"),
    ({"type": "download", "path": "a//b"}, "path", "no empty part"),
    ({"type": "download", "path": "a/"}, "path", "no empty part"),
    ({"type": "download", "path": ""}, "path", "no empty part"),
    ({"type": "download", "path": "a\\..\\b"}, "path", "must not hold"),
    ({"type": "download", "path": "x::zip://y"}, "path", "must not hold"),
    ({"type": "download", "path": "a*.mp4"}, "path", "must not hold"),
    ({"type": "download", "path": "a\x00b"}, "path", "must not hold"),
    ({"type": "download", "path": "{secret}.mp4"}, "path", "{id}, {name}, {kind}, {language} and {ext}"),
    ({"type": "download", "path": "{id.__class__}"}, "path", "{id}, {name}, {kind}, {language} and {ext}"),
    ({"type": "download", "path": "{id!r}"}, "path", "{id}, {name}, {kind}, {language} and {ext}"),
    ({"type": "download", "path": "{id:>999999999}"}, "path", "{id}, {name}, {kind}, {language} and {ext}"),
    ({"type": "download", "path": "{0}"}, "path", "{id}, {name}, {kind}, {language} and {ext}"),
    ({"type": "download", "path": "{id"}, "path", "unpaired"),
    ({"type": "download", "path": "{{id}}"}, "path", "must not hold"),
    ({"type": "download", "path": "x" * 201}, "path", "200 bytes"),
    ({"type": "download", "path": "x/" * 300}, "path", "512"),
    ({"type": "download", "url": "/videos"}, "url", "must be a URL"),
    ({"type": "download", "url": "file://videos"}, "url", "absolute"),
    ({"type": "download", "url": "file:///videos/%2e%2e/etc"}, "url", ".."),
    ({"type": "download", "url": "memory://x::file:///etc"}, "url", "must be a URL"),
    ({"type": "download", "url": "nothing://x"}, "url", "cannot be used"),
    ({"type": "download", "url": "memory://a*"}, "url", "must not hold"),
    ({"type": "download", "events": ["render.completed"]}, "events", "Unknown field"),
    ({"type": "http"}, "url", "give either url or endpoint"),
    ({"type": "http", "url": "https://example.com", "endpoint": "billing"}, "url", "give either url or endpoint"),
    ({"type": "http", "endpoint": "Billing/x"}, "endpoint", "must be the name of an endpoint"),
    ({"type": "http", "url": "ftp://example.com/"}, "url", "http or https"),
    ({"type": "http", "url": "file:///etc/passwd"}, "url", "http or https"),
    ({"type": "http", "url": "example.com/done"}, "url", "valid http or https"),
    ({"type": "http", "url": "https:///done"}, "url", "valid http or https"),
    ({"type": "http", "url": "https://example.com:99999/"}, "url", "valid http or https"),
    ({"type": "http", "url": "https://user:pw@example.com/"}, "url", "user name or password"),
    ({"type": "http", "url": "https://user@example.com/"}, "url", "user name or password"),
    ({"type": "http", "url": "https://example.com/" + "x" * 2048}, "url", "2048"),
    ({"type": "http", "url": 7}, "url", "valid string"),
    ({"type": "http", "url": "https://example.com", "headers": {}}, "headers", "Unknown field"),
    ({"type": "http", "url": "https://example.com", "events": ["render.done"]}, "events", "Must be one of"),
    ({"type": "http", "url": "https://example.com", "events": []}, "events", "Length"),
    ({"type": "http", "url": "https://example.com", "retry_for": 0}, "retry_for", "greater than or equal to 1"),
    ({"type": "http", "url": "https://example.com", "retry_for": "60"}, "retry_for", "integer"),
    ({"type": "celery", "task": "x.y", "queue": "q", "attempts": 101}, "attempts", "less than or equal to 100"),
    ({"type": "download", "attempts": 3}, "attempts", "Unknown field"),
    ({"type": "celery", "task": "x.y"}, "queue", "Missing data"),
    ({"type": "celery", "task": "renderline.submit", "queue": "billing"}, "task", "another service"),
    ({"type": "celery", "task": "celery.starmap", "queue": "billing"}, "task", "another service"),
    ({"type": "celery", "task": "a b", "queue": "billing"}, "task", "task name"),
    ({"type": "celery", "task": "a\n", "queue": "billing"}, "task", "task name"),
    ({"type": "celery", "task": "x" * 256, "queue": "billing"}, "task", "task name"),
    ({"type": "celery", "task": "x.y", "queue": "submit"}, "queue", "another service"),
    ({"type": "celery", "task": "x.y", "queue": "unacked"}, "queue", "the broker needs"),
    ({"type": "celery", "task": "x.y", "queue": "_kombu.binding.x"}, "queue", "the broker needs"),
    ({"type": "celery", "task": "x.y", "queue": "renders:1"}, "queue", "queue name"),
    ({"type": "celery", "task": "x.y", "queue": "hooks\x06\x163"}, "queue", "queue name"),
    ({"type": "celery", "task": "x.y", "queue": "billing", "kwargs": {}}, "kwargs", "Unknown field"),
]

KINDS = {
    kind.type: kind for kind in (DownloadHook("memory://videos"), HttpHook(TENANTS), CeleryHook(lambda *_, **__: None))
}


@pytest.mark.parametrize("hook", ACCEPTED, ids=str)
def test_accepted_as_it_is(hook):
    assert KINDS[hook["type"]].schema.load(hook) == hook


@pytest.mark.parametrize(("hook", "field", "says"), REFUSED, ids=lambda value: str(value)[:60])
def test_refused_by_field(hook, field, says):
    with pytest.raises(ValidationError) as caught:
        KINDS[hook["type"]].schema.load(hook)
    assert set(caught.value.messages) == {field}
    assert says in str(caught.value.messages)
    assert "pw" not in str(caught.value.messages)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_type_must_be_the_kinds_own(kind):
    with pytest.raises(ValidationError) as caught:
        kind.schema.load({"type": "other"})
    assert "type" in caught.value.messages


RECORD = {"id": "r1", "kind": "project", "name": "Spring sale: 50 % off, in Köln & 서울!"}


@pytest.mark.parametrize(
    ("template", "record", "name"),
    [
        ("{id}.mp4", RECORD, "r1.mp4"),
        ("{kind}/{name}-{id}.mp4", RECORD, "project/Spring-sale-50-off-in-Köln-서울-r1.mp4"),
        ("{name}.mp4", {"id": "r1", "name": "../../etc/passwd"}, "etc-passwd.mp4"),
        ("{name}.mp4", {"id": "r1", "name": "{id}"}, "id.mp4"),
        ("{name}.mp4", {"id": "r1", "name": "..."}, "render.mp4"),
        ("{name}.mp4", {"id": "r1"}, "render.mp4"),
        ("{name}.mp4", {"name": "서" * 200}, "서" * 33 + ".mp4"),
    ],
)
def test_names_of_files(template, record, name):
    assert file_name(template, record) == name


PIECES = st.sampled_from(["{id}", "{name}", "{kind}", "{ext}", "..", ".", "/", "~", "a", "%2e", "\\", ":", " ", "é"])


@given(
    template=st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join)),
    name=st.one_of(st.text(max_size=150), st.text(alphabet=string.punctuation, max_size=20)),
)
def test_no_template_and_no_name_leave_the_storage(template, name):
    if path_fault(template):
        return
    try:
        path = file_name(template, {"id": "r1", "kind": "project", "name": name})
    except ValueError:
        return
    whole = posixpath.normpath("/root/" + path)
    assert whole == "/root/" + path
    assert whole.startswith("/root/")
