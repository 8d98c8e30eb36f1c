"""The life of a render, and the record that shows it."""

import json

import pytest

from renderline.ledger import iso, public_record
from renderline.renders import EVENTS, FINAL, TRANSITIONS, State

# What a person does; everything else happens by itself.
BY_HAND = {
    (State.FAILED, State.ACCEPTED),
    (State.EXPIRED, State.ACCEPTED),
    (State.UNDELIVERED, State.COMPLETED),
}


def reachable(start, edges):
    found, open_ = {start}, [start]
    while open_:
        for onward in edges[open_.pop()] - found:
            found.add(onward)
            open_.append(onward)
    return found


BY_ITSELF = {
    state: frozenset(to for to in onward if (state, to) not in BY_HAND) for state, onward in TRANSITIONS.items()
}


def test_every_state_can_be_reached_from_the_door():
    assert reachable(State.ACCEPTED, BY_ITSELF) == set(State) == set(TRANSITIONS)


def test_no_final_state_is_left_without_a_person():
    assert {state for state, onward in BY_ITSELF.items() if not onward} == FINAL


@pytest.mark.parametrize("state", sorted(set(State) - FINAL))
def test_every_other_state_leads_to_an_end(state):
    assert reachable(state, BY_ITSELF) & FINAL


def test_money_is_only_asked_for_again_where_nothing_was_started():
    back = {state for state, onward in BY_ITSELF.items() if State.SUBMITTING in onward}
    # Rendering: a stage of its plan is finished, and the next one may cost.
    assert back == {State.ACCEPTED, State.UNCONFIRMED, State.RENDERING}


def test_a_render_is_delivered_only_after_it_was_completed():
    assert {state for state, onward in TRANSITIONS.items() if State.DELIVERED in onward} == {State.COMPLETED}
    assert {state for state, onward in TRANSITIONS.items() if State.COMPLETED in onward} == {
        State.SUBMITTING,
        State.RENDERING,
        State.UNDELIVERED,
    }


def test_every_end_announces_something():
    assert set(EVENTS) == FINAL | {State.COMPLETED}
    assert set(EVENTS.values()) == {"render.completed", "render.failed", "render.expired", "render.canceled"}


FIELDS = {
    "state": "delivered",
    "kind": "project",
    "account": "default",
    "priority": "high",
    "fingerprint": "f" * 64,
    "deadline": "3600.0",
    "deadline_at": "1700003600.000",
    "hooks": "2",
    "attempt": "1",
    "attempts": "2",
    "polls": "7",
    "stage": "export",
    "fence": "2",
    "epoch": "9",
    "progress": "97.5",
    "project_id": "p1",
    "download_url": "https://v/1.mp4",
    "stored_url": "file:///videos/r1.mp4",
    "credit": "2",
    "h0": "delivered",
    "h0:at": "1700000060.250",
    "h0:attempts": "1",
    "h0:error": "",
    "h1": "retrying",
    "h1:attempts": "3",
    "h1:error": "answered 500",
    "t:accepted": "1700000000.000",
    "t:rendering": "1700000001.500",
    "t:completed": "1700000060.000",
}
META = {"name": "Welcome", "hooks": [{"type": "download"}, {"type": "http", "url": "https://x/"}], "metadata": {"a": 1}}


def test_the_public_record_shows_what_the_design_promises():
    record = public_record("r1", FIELDS, META)
    json.dumps(record)
    assert (
        record
        | {
            "id": "r1",
            "kind": "project",
            "name": "Welcome",
            "account": "default",
            "priority": "high",
            "state": "delivered",
            "progress": 97.5,
            "project_id": "p1",
            "download_url": "https://v/1.mp4",
            "stored_url": "file:///videos/r1.mp4",
            "credit": 2,
            "attempts": 2,
            "polls": 7,
            "error": None,
            "metadata": {"a": 1},
            "deadline": "2023-11-14T23:13:20.000Z",
            "times": {
                "accepted": "2023-11-14T22:13:20.000Z",
                "rendering": "2023-11-14T22:13:21.500Z",
                "completed": "2023-11-14T22:14:20.000Z",
            },
        }
        == record
    )
    first, second = record["hooks"]
    assert first == {
        "type": "download",
        "state": "delivered",
        "attempts": 1,
        "error": None,
        "at": "2023-11-14T22:14:20.250Z",
    }
    assert (second["state"], second["attempts"], second["error"], second["at"]) == ("retrying", 3, "answered 500", None)
    assert not {"fingerprint", "fence", "epoch", "data", "body"} & set(record)
    assert "https://x/" not in json.dumps(record)


def test_the_record_of_a_render_that_was_just_accepted():
    fresh = {name: FIELDS[name] for name in ("kind", "account", "priority", "t:accepted", "hooks")}
    record = public_record("r1", {**fresh, "state": "accepted"}, META)
    assert (record["progress"], record["project_id"], record["credit"], record["deadline"]) == (0, None, None, None)
    assert [hook["state"] for hook in record["hooks"]] == ["pending", "pending"]


def test_an_unconfirmed_render_says_why_and_what_a_person_can_do():
    waiting = {**FIELDS, "state": "unconfirmed", "stage": "generate"}
    note = public_record("r1", waiting, META)["note"]
    assert note.startswith("no answer to the paid call of stage generate: whether the vendor took it is unknown")
    assert note.endswith("adopt, resubmit or fail settles it")
    foreign = {**waiting, "note": "the vendor answered with the project of another render"}
    assert public_record("r1", foreign, META)["note"] == foreign["note"]
    assert public_record("r1", {**waiting, "state": "rendering"}, META)["note"] is None


def test_an_error_has_code_message_and_origin():
    failed = {**FIELDS, "state": "failed", "error_code": "", "error_message": "no", "error_origin": "vendor"}
    assert public_record("r1", failed, META)["error"] == {"code": None, "message": "no", "origin": "vendor"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "1970-01-01T00:00:00.000Z"), (1700000000.9996, "2023-11-14T22:13:20.999Z")]
)
def test_times_are_utc_with_milliseconds(seconds, text):
    assert iso(seconds) == text
