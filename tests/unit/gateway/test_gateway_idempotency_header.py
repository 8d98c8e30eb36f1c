"""The idempotency key in a header."""

import pytest
from flask import Flask, request

from renderline.gateway.problem import Problem
from renderline.gateway.request_parsing import RequestParser
from renderline.gateway.request_schemas import BatchItem, IdempotencyHeader

app = Flask("idempotency")
parser = RequestParser()


def load(environ):
    with app.test_request_context("/", environ_overrides=environ):
        return parser.parse(IdempotencyHeader(), request, location="headers", error_status_code=400)


def key(value):
    return load({"HTTP_IDEMPOTENCY_KEY": value})["key"]


def test_no_header_is_no_key():
    assert load({}) == {}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [("order-A-17", "order-A-17"), ('"order-A-17"', "order-A-17"), ('"', '"'), ("a b", "a b"), ("x" * 255, "x" * 255)],
)
def test_quotes_around_a_key_are_not_part_of_it(sent, meant):
    assert key(sent) == meant


def test_a_key_beyond_ascii_is_that_of_the_other_doors():
    assert key("Auftrag-№1".encode().decode("latin-1")) == "Auftrag-№1"


@pytest.mark.parametrize("sent", ["", '""', "x" * 256, "a\tb", "\xff"])
def test_what_cannot_be_a_key_is_refused(sent):
    with pytest.raises(Problem) as refused:
        key(sent)
    assert refused.value.status == 400
    assert refused.value.detail.startswith("The Idempotency-Key ")


@pytest.mark.parametrize("value", [1, [], "", "x" * 256, "a\nb"])
def test_a_key_in_a_batch_has_the_same_rule(value):
    assert set(BatchItem().validate({"request": {}, "key": value})) == {"key"}
