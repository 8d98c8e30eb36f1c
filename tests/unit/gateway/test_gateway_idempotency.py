"""The idempotency key in a header."""

import pytest
from flask import Flask, request

from renderline.gateway.idempotency import header_key
from renderline.gateway.problem import Problem

app = Flask("keys")


def key(value):
    with app.test_request_context("/", environ_overrides={"HTTP_IDEMPOTENCY_KEY": value}):
        return header_key(request)


def test_no_header_is_no_key():
    with app.test_request_context("/"):
        assert header_key(request) is None


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("order-A-17", "order-A-17"), ('"order-A-17"', "order-A-17"), ('"', '"'), ("a b", "a b"), ("x" * 255, "x" * 255)],
)
def test_the_key_is_what_stands_there_without_quotes(sent, meant):
    assert key(sent) == meant


def test_a_key_beyond_ascii_is_that_of_the_other_doors():
    assert key("Auftrag-№1".encode().decode("latin-1")) == "Auftrag-№1"


@pytest.mark.parametrize("sent", ["", '""', "x" * 256, "a\tb", "\xff"])
def test_what_cannot_be_a_key_is_refused(sent):
    with pytest.raises(Problem) as refused:
        key(sent)
    assert refused.value.status == 400
