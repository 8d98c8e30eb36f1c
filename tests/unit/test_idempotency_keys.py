"""Idempotency keys: every door takes the same keys and refuses the same ones."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask, request

from harness.recorded_dispatcher import RecordedDispatcher
from renderline import contract, producer
from renderline.acceptance import Acceptor, Item, check_key
from renderline.gateway.problem import Problem
from renderline.gateway.request_parsing import RequestParser
from renderline.gateway.request_schemas import IdempotencyHeader
from renderline.ledger.accept import AcceptResult
from renderline.requests import RequestRefused
from renderline.tenants import COMMAND_LINE

GOOD = ["A", "order-A-17", "a b", "Auftrag-№1", "non-breaking\N{NO-BREAK SPACE}space", "x" * 255, "\N{GRINNING FACE}"]
BAD = ["", "x" * 256, "a\tb", "a\nb", "\x00", "\x7f", "\x85", "\ud83d", "a\udc00"]
NO_TEXT = [7, True, b"bytes", [], {}]

app = Flask("keys")


class Published(Exception):
    """The message was sent."""


class Broker:
    def send_task(self, *_, **__):
        raise Published


def acceptance(key):
    check_key(key)


def acceptance_of_many(key):
    acceptor = Acceptor(
        SimpleNamespace(accept_all=taken, project_tenant=lambda *_: None),
        RecordedDispatcher(),
        ("default",),
        {},
        60.0,
        10_000,
    )
    (result,) = acceptor.accept_all([Item({"kind": "export", "project_id": "0" * 24}, key, "m1")], actor=COMMAND_LINE)
    if isinstance(result, RequestRefused):
        raise result


def taken(entries, *, together):
    return [AcceptResult("new", True) for _ in entries]


def header(key):
    sent = key.encode(errors="surrogatepass").decode("latin-1")
    with app.test_request_context("/", environ_overrides={"HTTP_IDEMPOTENCY_KEY": sent}):
        parsed = RequestParser().parse(IdempotencyHeader(), request, location="headers", error_status_code=400)
    assert parsed == {"key": key}


def producer_module(key):
    with pytest.raises(Published):
        producer.enqueue_render(Broker(), {}, key=key)


DOORS = {
    acceptance: RequestRefused,
    acceptance_of_many: RequestRefused,
    header: Problem,
    producer_module: producer.RequestNotAccepted,
}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("key", GOOD)
def test_a_good_key_is_taken_by_every_door(door, key):
    door(key)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
@pytest.mark.parametrize("key", BAD, ids=repr)
def test_a_bad_key_is_refused_by_every_door(door, key):
    with pytest.raises(DOORS[door]):
        door(key)


@pytest.mark.parametrize("key", NO_TEXT, ids=repr)
def test_a_key_is_text(key):
    assert contract.key_error(key) == "must be a string"
    with pytest.raises(RequestRefused, match="key: must be a string"):
        acceptance(key)


def test_no_key_is_allowed():
    acceptance(None)
