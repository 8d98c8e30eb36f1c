"""A request's body is read no further than its limit, and refused in the caller's terms."""

import io
import json
from functools import cache

import pytest
from flask import Flask, request
from redis import Redis

from harness.gateway_app import gateway_app
from renderline.gateway.problem import Problem
from renderline.gateway.request_parsing import RequestParser, read_json
from renderline.gateway.request_schemas import Failure, RenderRequest

app = Flask("request-parsing")
JSON = {"Content-Type": "application/json"}


def read(raw, *, headers=JSON, max_bytes=1000, **options):
    options.setdefault("most_values", 1_000_000)
    with app.test_request_context("/", method="POST", data=raw, headers=headers):
        return read_json(request, max_bytes=max_bytes, **options)


@cache
def gateway():
    return gateway_app(Redis(port=1), max_bytes=1000)


def load(raw, *, schema=Failure, headers=JSON):
    with gateway().test_request_context("/", method="POST", data=raw, headers=headers):
        return RequestParser().load_json(request, schema())


def status(raw, *, reader=read, **options):
    with pytest.raises(Problem) as refused:
        reader(raw, **options)
    return refused.value.status


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "ü"]}, [], "text", 0, None])
def test_json_of_any_form_is_read(value):
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/merge-patch+json"])
def test_json_types_are_taken(kind):
    assert read("{}", headers={"Content-Type": kind}) == {}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {**JSON, "Content-Encoding": "gzip"},
    ],
)
def test_another_type_or_a_compressed_body_is_refused(headers):
    assert status("{}", headers=headers) == 415


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"{", b"{'a': 1}", b'{"a": NaN}', b"[Infinity]", b"-Infinity", b'{"a": 1}{', b"\xff\xfe"),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"1" * 5000, b"\x00", b"\xef\xbb\xbf{}", b'"\xed\xa0"'),
    ],
)
def test_what_is_not_json_is_refused(raw):
    assert status(raw, max_bytes=1_000_000) == 400


def test_the_refusal_shows_nothing_of_the_body():
    with pytest.raises(Problem) as refused:
        read('{"script": "my secret script", oh}')
    assert "secret" not in refused.value.detail
    assert "line 1, column 32" in refused.value.detail


@pytest.mark.parametrize(("depth", "fine"), [(64, True), (65, False), (500, False)])
def test_depth_has_a_limit(depth, fine):
    raw = "[" * depth + "]" * depth
    if fine:
        read(raw)
    else:
        assert status(raw) == 400
    assert read(raw, extra_depth=depth) is not None


def test_a_body_of_the_largest_size_is_read_and_a_larger_one_is_not():
    assert len(read(json.dumps("x" * 998))) == 998
    assert status(json.dumps("x" * 999)) == 413


class Endless(io.RawIOBase):
    """A body that never ends, and counts what was read of it."""

    taken = 0

    def readable(self):
        return True

    def readinto(self, buffer):
        buffer[:] = b" " * len(buffer)
        self.taken += len(buffer)
        return len(buffer)


def test_of_a_body_without_an_end_only_the_limit_is_read():
    endless = Endless()
    environ = {"wsgi.input": endless, "wsgi.input_terminated": True, "REQUEST_METHOD": "POST"}
    with app.test_request_context("/", headers=JSON, environ_overrides=environ), pytest.raises(Problem) as refused:
        read_json(request, max_bytes=10_000, most_values=100)
    assert refused.value.status == 413
    assert endless.taken <= 10_001


def test_an_object_may_be_left_out():
    assert load("", headers={}) == {}
    assert load('{"a": 1}') == {"a": 1}
    assert status("", reader=load, schema=RenderRequest, headers={}) == 415


@pytest.mark.parametrize("raw", ["[]", "1", '{"a": "\\ud800"}', '{"a": "\\u0000"}'])
def test_an_object_must_be_one_that_redis_can_hold(raw):
    assert status(raw, reader=load) == 422
