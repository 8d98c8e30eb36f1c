"""`renderline quarantine`: list, show, drop and requeue."""

from __future__ import annotations

import json

import pytest

from renderline.ledger.quarantine import MOST_BYTES, Quarantine, Unread
from tests.integration.workers.poison import SECRET, envelope, task

REQUEST = {"request": {"kind": "project", "scenes": [{"script": SECRET}]}, "key": "order-1", "tomorrow": True}


@pytest.fixture
def store(redis):
    return Quarantine(redis)


@pytest.fixture
def message(store):
    """Quarantine a request of a later version, and return its raw bytes."""
    raw = json.dumps(envelope([[], REQUEST, {}], task("renderline.request"), queue="requests")).encode()
    store.add_message(Unread(raw, "requests", "renderline.request takes other arguments", "later version"))
    return raw


def only(run):
    (entry,) = run("quarantine", "list", "--json").value
    return entry


def test_what_was_quarantined_is_listed_and_reported(run, store):
    store.add_message(Unread(b"\xff{secret", "submit", "not JSON"))
    entry = only(run)
    assert (entry["what"], entry["where"], entry["reason"], entry["size"]) == ("message", "submit", "not JSON", 8)
    assert "secret" not in run("quarantine", "list").out
    checks = {one["check"]: one for one in run("doctor", "--json").value["checks"]}
    assert checks["quarantine"]["verdict"] == "warn"
    assert "submit malformed 1" in checks["quarantine"]["detail"]


def test_show_has_the_names_of_the_headers_and_the_body_only_on_request(run, message):
    entry = only(run)["id"]
    shown = run("quarantine", "show", entry)
    assert shown.code == 0
    assert SECRET not in shown.out
    for part in (entry, "requests", "takes other arguments", str(len(message)), "argsrepr", "timelimit"):
        assert part in shown.out
    assert SECRET in run("quarantine", "show", entry, "--body").out
    (value,) = run("quarantine", "show", entry, "--body", "--json").value
    assert json.loads(value["body"])[1] == REQUEST
    assert "body" not in run("quarantine", "show", entry, "--json").value[0]


@pytest.mark.parametrize("raw", [b"\xff\xfe\x1b[2J", b"5", b"[]", b'{"body": 5, "headers": {}, "properties": {}}'])
def test_any_bytes_can_be_shown(run, store, raw):
    store.add_message(Unread(raw, "submit", "not JSON"))
    shown = run("quarantine", "show", only(run)["id"], "--body")
    assert shown.code == 0
    assert "\x1b" not in shown.out


def test_a_requeued_message_is_in_its_queue_again_unchanged(run, redis, store, message):
    entry = only(run)["id"]
    assert run("quarantine", "requeue", entry, "--json").value == [
        {"id": entry, "done": True, "state": "requeued", "message": "requests"}
    ]
    assert redis.execute_command("LRANGE", "requests", 0, -1, NEVER_DECODE=True) == [message]
    assert run("quarantine", "list", "--json").value == []
    assert run("quarantine", "requeue", entry).code == 5
    assert redis.llen("requests") == 1
    assert redis.hget("renderline:quarantine_counts", "request_bytes") == "0"


def test_a_requeued_message_keeps_its_priority(run, redis, store):
    store.add_message(Unread(b"{}", "submit", "why", "later version", "submit\x06\x166"))
    assert run("quarantine", "requeue", "--all").code == 0
    assert redis.lrange("submit\x06\x166", 0, -1) == ["{}"]


def test_what_cannot_be_requeued_says_what_to_do(run, redis, store, message):
    store.add_message(Unread(b"x" * (MOST_BYTES + 1), "submit", "not JSON"))
    store.add_message(Unread(b"[1,2]", "unacked", "not noted by a worker"))
    redis.xadd("renderline:quarantine", {"what": "record", "id": "f" * 32, "where": "main", "reason": "x", "size": 0})
    whole, *others = reversed([one["id"] for one in run("quarantine", "list", "--json").value])
    ended = run("quarantine", "requeue", whole, *others)
    assert ended.code == 1
    assert whole in ended.out
    for words in ("its sender must send it again", "found in unacked", f"record of render {'f' * 32}, not a message"):
        assert words in ended.err
    assert len(run("quarantine", "list", "--json").value) == 3


def test_dropped_entries_are_gone(run, store, message):
    store.add_message(Unread(b"x", "submit", "not JSON"))
    first, second = (one["id"] for one in run("quarantine", "list", "--json").value)
    dropped = run("quarantine", "drop", first, "1-1", "not an id", "--json")
    assert dropped.code == 5
    assert [step["done"] for step in dropped.value] == [True, False, False]
    assert only(run)["id"] == second
    assert run("quarantine", "drop", "--all").code == 0
    assert run("quarantine", "list", "--json").value == []


@pytest.mark.parametrize("arguments", [("drop",), ("requeue",), ("drop", "1-1", "--all"), ("show",)])
def test_it_is_said_which_entries(run, arguments):
    assert run("quarantine", *arguments).code == 2


def test_an_entry_that_is_not_there_is_5(run):
    for command in ("show", "drop", "requeue"):
        assert run("quarantine", command, "1-1").code == 5
        assert "no entry request-7-7" in run("quarantine", command, "request-7-7").err
