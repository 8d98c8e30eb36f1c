"""Accepting, showing, cancelling and retrying renders over HTTP: a gateway process on a real Valkey, no workers."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import a_request, until
from harness.gateway import assert_problem
from renderline import contract

UNKNOWN = "0" * 32


def test_a_request_is_accepted_recorded_and_published(gateway, redis):
    answer = gateway.submit(a_request(name="Welcome", metadata={"order": "A-17"}, hooks=[{"type": "download"}]))
    assert answer.status_code == 202
    record = answer.json()
    assert answer.headers["Location"] == f"/v1/renders/{record['id']}"
    assert (record["state"], record["name"], record["metadata"]) == ("accepted", "Welcome", {"order": "A-17"})
    assert record["hooks"][0]["state"] == "pending"
    assert gateway.ask("GET", answer.headers["Location"]).json() == record
    # Celery keeps each priority in a list of its own.
    assert sum(redis.llen(key) for key in redis.scan_iter("submit*")) == 1


def test_a_draft_alone_takes_no_download(gateway, redis):
    draft = a_request(export=False, hooks=[{"type": "download"}])
    assert_problem(gateway.submit(draft), 422, "hooks.0")
    batch = gateway.ask("POST", "/v1/renders/batch", {"requests": [{"request": draft}]})
    assert [result["status"] for result in batch.json()["results"]] == [422]
    assert "hooks.0" in batch.text
    assert gateway.submit(a_request(export=False, hooks=[])).status_code == 202


def test_without_a_key_every_request_is_a_render(gateway, redis):
    assert gateway.accept() != gateway.accept()


def test_the_same_key_and_body_give_the_same_answer(gateway, redis):
    answers = [gateway.submit(a_request(), key="order-A-17") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert {answer.json()["id"] for answer in answers} == {contract.render_id_for_key("order-A-17")}
    assert redis.zcard("renderline:renders") == 1


def test_defaults_given_explicitly_are_the_same_body(gateway, redis):
    one = gateway.accept(a_request(), key="k")
    assert gateway.accept(a_request(priority="normal", resolution="1080", orientation="landscape"), key="k") == one


def test_the_same_key_with_another_body_is_a_conflict(gateway, redis):
    one = gateway.accept(a_request("First."), key="k")
    assert_problem(gateway.submit(a_request("Second."), key="k"), 409)
    assert gateway.ask("GET", f"/v1/renders/{one}").json()["state"] == "accepted"


def test_fifty_twins_at_once_make_one_render(gateway, redis):
    ready = threading.Barrier(50)

    def post(_):
        ready.wait()
        return gateway.submit(a_request(), key="twins")

    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(post, range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert redis.zcard("renderline:renders") == 1


def test_every_wrong_field_is_named_by_its_path(gateway, redis):
    wrong = a_request(account="elsewhere", deadline=0, hooks=[{"type": "ftp"}, {"type": "http", "url": "nowhere"}])
    wrong["scenes"][0]["avatar"] = {"model": "M000045058"}
    wrong["scense"] = []
    paths = ("account", "deadline", "hooks.0.type", "hooks.1.url", "scenes.0.avatar.clothes", "scense")
    body = assert_problem(gateway.submit(wrong), 422, *paths)
    assert {"path": "scense", "message": "unknown field; did you mean 'scenes'?"} in body["errors"]
    assert not redis.exists("renderline:renders")


@pytest.mark.parametrize("value", [[], "text", 7, None])
def test_a_request_must_be_an_object(gateway, value):
    answer = gateway.ask("POST", "/v1/renders", data=json.dumps(value), headers=JSON)
    assert_problem(answer, 422, "request")


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"{", JSON, 400),
        (b'{"deadline": NaN}', JSON, 400),
        (b"[" * 100_000, JSON, 400),
        (b"\xff", JSON, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"kind=project", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {}, 415),
        (b" " * 1_100_000, JSON, 413),
    ],
)
def test_an_unreadable_body_is_refused(gateway, raw, headers, status):
    assert_problem(gateway.ask("POST", "/v1/renders", data=raw, headers=headers), status)


def test_a_body_without_a_length_is_limited_too(gateway):
    answer = gateway.ask("POST", "/v1/renders", data=(b" " * 50_000 for _ in range(100)), headers=JSON)
    assert_problem(answer, 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/v1/renders/{UNKNOWN}", 404),
        ("GET", "/v1/renders/no-id", 404),
        ("POST", f"/v1/renders/{UNKNOWN}/cancel", 404),
        ("POST", f"/v1/renders/{UNKNOWN}/retry", 404),
        ("GET", f"/v1/renders/{UNKNOWN}/events", 404),
        ("GET", "/v1/nowhere", 404),
        ("DELETE", "/v1/renders", 405),
        ("PUT", f"/v1/renders/{UNKNOWN}", 405),
        ("GET", "/v1/renders/batch", 405),
    ],
)
def test_unknown_paths_renders_and_methods(gateway, redis, method, path, status):
    answer = gateway.ask(method, path)
    assert_problem(answer, status)
    assert ("Allow" in answer.headers) is (status == 405)


def test_cancel_can_be_repeated_and_ends_the_render(gateway, redis):
    one = gateway.accept()
    for _ in range(2):
        answer = gateway.ask("POST", f"/v1/renders/{one}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "canceled")


def test_an_ended_render_cannot_be_canceled(gateway, ledger):
    one = gateway.accept()
    ledger.fail(one, code="50010", message="no credit", origin="vendor")
    body = assert_problem(gateway.ask("POST", f"/v1/renders/{one}/cancel"), 409)
    assert "failed" in body["detail"]


def test_hooks_that_ask_for_it_run_on_cancel(gateway, redis):
    hook = {"type": "http", "url": "http://127.0.0.1:9/done", "events": ["render.canceled"]}
    one = gateway.accept(a_request(hooks=[hook]))
    gateway.ask("POST", f"/v1/renders/{one}/cancel")
    assert until(lambda: redis.llen("hooks"), what="a message for the hooks")


def test_retry_is_a_new_attempt_in_the_same_record(gateway, ledger, redis):
    one = gateway.accept()
    ledger.fail(one, code="50010", message="no credit", origin="vendor")
    redis.delete(*redis.scan_iter("submit*"))
    answer = gateway.ask("POST", f"/v1/renders/{one}/retry")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/renders/{one}"
    record = answer.json()
    assert (record["state"], record["attempt"], record["error"]) == ("accepted", 2, None)
    assert record["history"][0]["error"]["code"] == "50010"
    assert sum(redis.llen(key) for key in redis.scan_iter("submit*")) == 1


def test_only_a_failed_render_can_be_retried(gateway, redis):
    one = gateway.accept()
    body = assert_problem(gateway.ask("POST", f"/v1/renders/{one}/retry"), 409)
    assert "accepted" in body["detail"]


def test_the_access_log_has_routes_and_statuses_but_no_body(gateway, redis):
    gateway.accept(a_request("A script that nobody may read."))
    assert_problem(gateway.submit(a_request("Another script.", kind="film")), 422, "kind")
    log = gateway.output()
    assert "route=/v1/renders status=202" in log
    assert "route=/v1/renders status=422" in log
    assert "script" not in log


def test_a_record_shows_what_was_passed_on_although_it_may_be_wrong(gateway):
    clip = {"id": "i", "type": "image", "layer": 1, "top": 0, "left": 0, "height": 9, "width": 9, "source_url": "/a"}
    scene = {"sceneIdx": 0, "background": {}, "clips": [{**clip, "opacity": 0}]}
    odd = {"kind": "project", "payload": {"scenes": [scene]}}
    warning = "payload.scenes.0.clips.0.opacity: must be between 1 and 100; passed on all the same"
    assert_problem(gateway.submit(odd), 422, "payload.scenes.0.clips.0.opacity")
    answer = gateway.submit({**odd, "validation": "warn"})
    assert answer.status_code == 202
    assert answer.json()["warnings"] == [warning]
    assert gateway.ask("GET", f"/v1/renders/{answer.json()['id']}").json()["warnings"] == [warning]
    assert gateway.ask("GET", f"/v1/renders/{gateway.accept()}").json()["warnings"] == []
