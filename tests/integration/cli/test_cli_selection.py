"""Operations on the renders of filters, hold and release, and explain."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from redis import Redis

from harness.command_result import CommandResult
from renderline.ledger import Ledger
from tests.integration.cli.test_cli_submit import compact

Run = Callable[..., CommandResult]


@pytest.fixture
def renders(run: Run, redis: Redis) -> list[str]:
    """Three renders, of which the first two failed with one code."""
    given = json.dumps([compact(name=f"Customer {number}", hooks=[]) for number in range(3)])
    ids = [one["id"] for one in run("submit", "-", "--json", given=given).value]
    for one in ids[:2]:
        Ledger(redis).fail(one, code="7001", message="no such voice", origin="vendor")
    return ids


def test_filters_ask_first_and_take_what_was_shown(run: Run, renders: list[str]) -> None:
    asked = run("retry", "--state", "failed", "--since", "1h")
    assert asked.code == 2
    assert "retry would take 2 renders: add --yes" in asked.err
    dry = run("retry", "--state", "failed", "--code", "7001", "--dry-run", "--json").value
    assert ({*dry["done"]}, dry["matched"], dry["more"], dry["dry_run"]) == ({*renders[:2]}, 2, False, True)
    shown = run("retry", "--state", "failed", "--dry-run")
    assert "retry would take 2 renders" in shown.out
    one = run("retry", "--state", "failed", "--limit", "1", "--yes")
    assert "retry: done for 1 render; more match" in one.out
    rest = run("retry", "--search", "code:7001", "--yes", "--json").value
    assert (rest["matched"], rest["refused"]) == (1, [])
    assert "retry applies to no render" in run("retry", "--state", "failed", "--yes").out
    states = {record["state"] for record in run("list", "--json").value["renders"]}
    assert states == {"accepted"}


def test_ids_and_filters_exclude_each_other_and_one_is_needed(run: Run, renders: list[str]) -> None:
    assert run("retry").code == run("retry", renders[0], "--state", "failed").code == 2
    assert "--all" in run("hold").err
    assert "is missing" not in run("hold", "--all", "--yes").err
    wrong = run("retry", "--state", "delivered", "--yes")
    assert (wrong.code, "failed or expired, not delivered" in wrong.err) == (2, True)
    assert run("cancel", "--delete-project", "--state", "accepted", "--yes").code == 2


def test_ids_can_be_tried_without_a_change(run: Run, renders: list[str]) -> None:
    dry = run("retry", *renders, "--dry-run", "--json").value
    assert {*dry["done"]} == {*renders[:2]}
    assert run("status", renders[0], "--json").value[0]["state"] == "failed"


def test_hold_explain_release(run: Run, renders: list[str]) -> None:
    one = renders[2]
    (step,) = run("hold", one, "--reason", "checking the script", "--json").value
    assert (step["done"], step["state"], step["message"]) == (True, "accepted", "held")
    said = run("explain", one).out
    assert "checking the script." in said
    assert f"renderline release {one}" in said
    several = run("explain", *renders, "f" * 32, "--json")
    assert several.code == 5
    assert [entry["state"] for entry in several.value] == ["failed", "failed", "accepted"]
    assert several.value[0]["sentence"].endswith(": [7001] no such voice.")
    assert run("list", "--held", "--json").value["renders"][0]["id"] == one
    assert run("release", "--held", "--yes", "--json").value["done"] == [one]
    refused = run("release", one)
    assert (refused.code, "nothing to release" in refused.err) == (1, True)
    assert run("hold", renders[0]).code == 1


def test_replay_takes_every_dead_hook(run: Run, redis: Redis) -> None:
    hook = {"type": "celery", "task": "billing.ready", "queue": "billing"}
    (one,) = (row["id"] for row in run("submit", "-", "--json", given=json.dumps(compact(hooks=[hook]))).value)
    ledger = Ledger(redis)
    ledger.fail(one, code="x", message="y", origin="vendor")
    ledger.record_hook(one, 0, ledger.claim_hook(one, 0, lease=30), outcome="dead", error="410 Gone")
    assert run("replay", "--state", "failed", "--dry-run", "--json").value["done"] == [one]
    (step,) = run("replay", one, "--json").value
    assert (step["done"], step["message"]) == (True, "replayed")
    assert run("replay", one).code == 1
