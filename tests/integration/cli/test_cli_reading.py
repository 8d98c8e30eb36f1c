"""Commands that read the ledger: status, list, watch."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from renderline.ledger import Ledger
from tests.integration.cli.test_cli_submit import compact


@pytest.fixture
def renders(run):
    """Three accepted renders, the newest last."""
    requests = [compact(name=name, metadata={"order": name}) for name in ("A", "B", "C")]
    return [run("submit", "-", "--json", given=json.dumps(one)).value[0]["id"] for one in requests]


def test_status_shows_what_there_is_and_names_what_is_not(run, renders, valkey):
    ended = run("status", renders[0], "f" * 32, "--json")
    assert ended.code == 5
    assert [one["id"] for one in ended.value] == [renders[0]]
    assert ended.err == f"renderline: no render {'f' * 32} on {valkey.url.removeprefix('redis://')}\n"


def test_status_of_one_shows_its_details(run, renders):
    ended = run("status", renders[0])
    assert ended.code == 0
    assert "order=A" in ended.out
    assert "accepted" in ended.out


def test_status_by_key(run):
    made = run("submit", "-", "--key", "order-7", "--json", given=json.dumps(compact())).value
    assert run("status", "--key", "order-7", "--json").value[0]["id"] == made[0]["id"]


def test_status_waits_as_long_as_told(run, renders):
    assert run("status", renders[0], "--wait", "--timeout", "0.2", "--json").code == 4
    run("cancel", renders[0])
    assert run("status", renders[0], "--wait", "--json").code == 1


def test_list_pages_and_filters(run, renders):
    first = run("list", "--limit", "2", "--json").value
    assert [one["id"] for one in first["renders"]] == renders[:0:-1]
    second = run("list", "--limit", "2", "--cursor", first["cursor"], "--json").value
    assert [one["id"] for one in second["renders"]] == renders[:1]
    assert second["cursor"] is None

    def ids(*arguments):
        return [one["id"] for one in run("list", *arguments, "--json").value["renders"]]

    assert ids("--metadata", "order=B") == [renders[1]]
    assert ids("--state", "delivered") == []
    assert ids("--state", "accepted", "--kind", "project", "--account", "default") == renders[::-1]
    assert ids("--after", "1h") == ids("--since", "1h") == renders[::-1]
    assert ids("order:B") == ids("--search", "order:B") == ids("since:1h", "order:B", "--until", "0s") == [renders[1]]
    assert ids("--name", "a") == ids("a") == ids("name:A", "--not-held") == [renders[0]]
    assert ids("--code", "50010") == ids("--held") == ids("a", "b") == ids("name:a b") == []
    assert ids("--before", (datetime.now(UTC) - timedelta(hours=1)).isoformat()) == []


def test_reindex_says_what_it_did(run, renders, environ):
    environ["RENDERLINE_LABELS"] = "order"
    assert run("reindex", "--json").value == {
        "renders": 3, "labels": ["order"], "unreadable": [], "dropped": 0, "done": True
    }  # fmt: skip
    assert run("reindex").out == "3 renders are indexed by name, order, and counted\n"
    assert [one["id"] for one in run("list", "b", "--json").value["renders"]] == [renders[1]]


def test_list_for_people(run, renders):
    out = run("list").out
    assert all(one in out for one in renders)
    assert run("list", "--state", "failed").out == "no renders\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--cursor", "nonsense"),
        ("list", "since:yesterday"),
        ("list", "state:failed", "--state", "failed"),
        ("list", "--after", "yesterday"),
        ("list", "--metadata", "order"),
        ("list", "--state", "nearly"),
        ("status",),
        ("nonsense",),
        ("submit",),
        ("submit", "-", "--timeout", "5"),
        ("submit", "-", "--until", "stored"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(run, arguments):
    ended = run(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1


def test_watch_once(run, renders):
    shown = run("watch", "--once", "--json").value
    assert shown["counts"]["accepted"] == 3
    assert {one["id"] for one in shown["renders"]} == set(renders)
    assert "accepted 3" in run("watch", "--once").out


def test_show_of_one_says_why_it_is_not_done_and_what_happened(run, renders, redis):
    Ledger(redis).fail(renders[0], code="50010", message="No credit", origin="vendor")
    out = run("show", renders[0]).out
    assert "No credit" in out.splitlines()[0]
    assert [line.split()[2] for line in out.splitlines() if " transition " in line] == ["accepted", "failed"]


def test_top_without_a_terminal_shows_the_present_state_once(run, renders, redis):
    ledger = Ledger(redis)
    ledger.fail(renders[0], code="50010", message="No \x1b[31mcredit", origin="vendor")
    run("pause", "default")
    shown = run("top", "--json").value
    assert {state: one["count"] for state, one in shown["renders"].items()} == {"accepted": 2, "failed": 1}
    assert shown["renders"]["accepted"]["oldest"] >= 0
    assert shown["accounts"] == [
        {
            **{"name": "default", "states": {"accepted": 2, "failed": 1}, "held": "paused by an operator"},
            **{"parked": 0, "slots": {"taken": 0, "limit": None}},
        }
    ]
    assert shown["queues"].keys() == {"requests", "submit", "poll", "hooks"}
    assert shown["tenants"] == {"default": 3}
    (failure,) = shown["failures"]
    assert (failure["id"], failure["name"]) == (renders[0], "A")
    out = run("top").out
    assert "\x1b" not in out
    assert "3 renders" in out
    assert "paused by an operator" in out
    assert renders[0] in out
    assert run("top", "--tenant", "nobody", "--json").value["renders"] == {}


def test_names_cannot_command_the_terminal(run, redis):
    made = run("submit", "-", "--json", given=json.dumps(compact(metadata={"x": "\x1b[31mred\nline"}))).value
    out = run("status", made[0]["id"]).out
    assert "\x1b" not in out
    assert "red line" in out
