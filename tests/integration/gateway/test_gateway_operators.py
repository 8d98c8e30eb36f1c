"""The routes for operators: dead letters, unconfirmed renders, paused accounts."""

import json

import pytest

from harness import a_request
from harness.gateway import assert_problem
from renderline.ledger import PollResult

HOOKS = [{"type": "download"}, {"type": "http", "url": "http://127.0.0.1:9/done"}]
UNKNOWN = "0" * 32


def started(gateway, ledger, *, confirmed=True):
    """Return a render whose paid call was made."""
    one = gateway.accept(a_request(hooks=HOOKS))
    claim = ledger.claim_submission(one, lease=20)
    assert ledger.record_intent(claim, "draft", lease=20)
    assert ledger.advance(claim, stage="export", project_id="p1")
    assert ledger.record_intent(claim, "export", lease=20)
    done, wake = ledger.start(claim, confirmed=confirmed, project_id="p1" if confirmed else None, poll_in=0)
    assert done
    return one, wake


def dead(gateway, ledger):
    """Return a finished render with one delivered and one dead-lettered hook."""
    one, wake = started(gateway, ledger)
    batch = ledger.claim_due_polls(wake.account, slot=wake.slot, ticket=wake.ticket, limit=1, lease=20)
    assert ledger.record_poll_results([PollResult(one, batch.polls[0].epoch, "done", url="https://v/1.mp4")])
    for index, outcome in enumerate(("delivered", "dead")):
        claim = ledger.claim_hook(one, index, lease=20)
        ledger.record_hook(one, index, claim, outcome=outcome, error="" if outcome == "delivered" else "410 Gone")
    return one


def messages(redis, queue):
    return sum(redis.llen(key) for key in redis.scan_iter(f"{queue}*"))


def letters(gateway, **query):
    answer = gateway.ask("GET", "/v1/dead-letters", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["dead_letters"]


def test_dead_letters_are_listed_newest_first(gateway, ledger):
    ids = [dead(gateway, ledger) for _ in range(2)]
    found = letters(gateway)
    assert [letter["id"] for letter in found] == ids[::-1]
    assert (found[0]["hook"], found[0]["type"], found[0]["error"]) == (1, "http", "410 Gone")
    assert len(letters(gateway, limit=1)) == 1


def test_a_dead_hook_is_replayed(gateway, ledger, redis):
    one = dead(gateway, ledger)
    answer = gateway.ask("POST", f"/v1/renders/{one}/hooks/1/replay")
    assert (answer.status_code, answer.json()["state"]) == (202, "completed")
    assert answer.json()["hooks"][1]["state"] == "pending"
    assert letters(gateway) == []
    assert messages(redis, "hooks") == 1


def test_a_dead_hook_is_discarded(gateway, ledger):
    one = dead(gateway, ledger)
    answer = gateway.ask("POST", f"/v1/renders/{one}/hooks/1/discard")
    assert (answer.status_code, answer.json()["state"]) == (200, "undelivered")
    assert letters(gateway) == []
    assert_problem(gateway.ask("POST", f"/v1/renders/{one}/hooks/1/discard"), 409)


@pytest.mark.parametrize("what", ["replay", "discard"])
def test_only_a_dead_lettered_hook_is_replayed_or_discarded(gateway, ledger, what):
    one = dead(gateway, ledger)
    body = assert_problem(gateway.ask("POST", f"/v1/renders/{one}/hooks/0/{what}"), 409)
    assert "delivered" in body["detail"]
    assert_problem(gateway.ask("POST", f"/v1/renders/{one}/hooks/2/{what}"), 404)
    assert_problem(gateway.ask("POST", f"/v1/renders/{UNKNOWN}/hooks/0/{what}"), 404)


def test_an_unconfirmed_render_is_adopted(gateway, ledger, redis):
    one, _ = started(gateway, ledger, confirmed=False)
    answer = gateway.ask("POST", f"/v1/renders/{one}/adopt", {"project_id": "65fa6b07"})
    assert answer.status_code == 202
    assert (answer.json()["state"], answer.json()["project_id"]) == ("rendering", "65fa6b07")


def test_an_unconfirmed_render_is_submitted_again(gateway, ledger, redis):
    one, _ = started(gateway, ledger, confirmed=False)
    before = messages(redis, "submit")
    answer = gateway.ask("POST", f"/v1/renders/{one}/resubmit")
    assert (answer.status_code, answer.json()["state"]) == (202, "submitting")
    assert messages(redis, "submit") == before + 1


@pytest.mark.parametrize(("body", "message"), [(None, "given up by an operator"), ({"message": "lost"}, "lost")])
def test_an_unconfirmed_render_is_failed(gateway, ledger, redis, body, message):
    one, _ = started(gateway, ledger, confirmed=False)
    answer = gateway.ask("POST", f"/v1/renders/{one}/fail", body)
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert answer.json()["error"] == {"code": "given_up", "message": message, "origin": "caller"}
    assert messages(redis, "hooks") == 1


@pytest.mark.parametrize(
    ("call", "body"), [("adopt", {"project_id": "p2"}), ("resubmit", None), ("fail", None), ("fail", {"message": "x"})]
)
def test_only_an_unconfirmed_render_is_adopted_resubmitted_or_failed(gateway, ledger, call, body):
    one, _ = started(gateway, ledger)
    said = assert_problem(gateway.ask("POST", f"/v1/renders/{one}/{call}", body), 409)
    assert "rendering" in said["detail"]
    assert_problem(gateway.ask("POST", f"/v1/renders/{UNKNOWN}/{call}", body), 404)


@pytest.mark.parametrize(
    ("call", "body", "paths"),
    [
        ("adopt", None, ["project_id"]),
        ("adopt", {}, ["project_id"]),
        ("adopt", {"project_id": "../x"}, ["project_id"]),
        ("adopt", {"project_id": "p1\n"}, ["project_id"]),
        ("adopt", {"project_id": "p1", "x": 1}, ["x"]),
        ("adopt", [], ["request"]),
        ("fail", {"message": "x" * 501}, ["message"]),
        ("fail", {"message": "a\nb"}, ["message"]),
        ("fail", {"message": 1}, ["message"]),
    ],
)
def test_wrong_fields_of_adopt_and_fail_are_named(gateway, redis, call, body, paths):
    sent = {} if body is None else {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    answer = gateway.ask("POST", f"/v1/renders/{UNKNOWN}/{call}", **sent)
    assert_problem(answer, 422, *paths)


def test_an_account_is_paused_and_resumed(gateway, redis, ledger):
    def accounts():
        return gateway.ask("GET", "/v1/accounts").json()["accounts"]

    assert accounts() == [{"name": "default", "paused": False}]
    for _ in range(2):
        answer = gateway.ask("POST", "/v1/accounts/default/pause")
        assert (answer.status_code, answer.json()) == (200, {"name": "default", "paused": True})
    assert accounts() == [{"name": "default", "paused": True}]
    one = gateway.accept()
    assert ledger.claim_submission(one, lease=20) is None
    answer = gateway.ask("POST", "/v1/accounts/default/resume")
    assert (answer.status_code, answer.json()["paused"]) == (200, False)
    assert accounts() == [{"name": "default", "paused": False}]


@pytest.mark.parametrize("name", ["elsewhere", "%00", "a%20b"])
@pytest.mark.parametrize("call", ["pause", "resume"])
def test_an_account_that_is_not_configured_is_not_found(gateway, redis, call, name):
    assert_problem(gateway.ask("POST", f"/v1/accounts/{name}/{call}"), 404)
