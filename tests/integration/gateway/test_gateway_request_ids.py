"""The id of a call: the caller's own or a new one, in the answer, in the log and in the record of a render."""

from __future__ import annotations

import re

import pytest

from harness import a_request

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def answered(gateway, **headers):
    return gateway.ask("GET", "/v1/renders", headers=headers).headers["X-Request-ID"]


@pytest.mark.parametrize("given", ["a", "call-17", "Root=1-67891233-abcdef", "x" * 128])
def test_a_usable_id_comes_back(gateway, redis, given):
    assert answered(gateway, **{"X-Request-ID": given}) == given


@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "<b>", "a;b", "caf\xe9", "a,b"])
def test_an_id_that_cannot_be_used_is_replaced(gateway, redis, given):
    assert re.fullmatch("[0-9a-f]{32}", answered(gateway, **{"X-Request-ID": given.encode("latin-1")}))


def test_without_an_id_that_of_the_trace_is_taken(gateway, redis):
    parent = f"00-{TRACE}-00f067aa0ba902b7-01"
    assert answered(gateway, traceparent=parent) == TRACE
    assert answered(gateway, **{"traceparent": parent, "X-Request-ID": "own"}) == "own"
    assert answered(gateway, traceparent=f"00-{'0' * 32}-00f067aa0ba902b7-01") not in ("0" * 32, "")


def test_every_answer_has_one_also_a_refusal(gateway, redis):
    for path in ("/nowhere", "/healthz", "/openapi.json"):
        assert gateway.ask("GET", path).headers["X-Request-ID"]
    refused = gateway.ask("POST", "/v1/renders", {"kind": "?"}, headers={"X-Request-ID": "no"})
    assert (refused.status_code, refused.headers["X-Request-ID"]) == (422, "no")


def test_a_render_keeps_the_id_of_its_first_call(gateway, redis):
    first, again = (
        gateway.ask("POST", "/v1/renders", a_request(), headers={"Idempotency-Key": "k", "X-Request-ID": name})
        for name in ("first-call", "second-call")
    )
    assert (first.headers["X-Request-ID"], again.headers["X-Request-ID"]) == ("first-call", "second-call")
    assert first.json()["request_id"] == again.json()["request_id"] == "first-call"
    lines = [line for line in gateway.output().splitlines() if "first-call" in line]
    assert [what for what in ("transition", "accepted", "answered") if any(what in line for line in lines)] == [
        "transition",
        "accepted",
        "answered",
    ]
    batch = {"requests": [{"request": a_request()}, {"request": a_request()}]}
    answer = gateway.ask("POST", "/v1/renders/batch", batch, headers={"X-Request-ID": "both"})
    for result in answer.json()["results"]:
        assert gateway.ask("GET", result["location"]).json()["request_id"] == "both"
