"""The harness's own bookkeeping: a figure that is counted wrongly proves nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from benchmarks.chaos.accounting import (
    HOOK_PATHS,
    Figures,
    Reported,
    figures,
    misled,
    name_of,
    order_of,
    orphans_of,
    twice,
)
from benchmarks.chaos.plain_chain import order_of_message

Taken = dict[tuple[tuple[int, str], str], int]


def project(order: int, *, exports: int = 1, credits: int = 1, deleted: bool = False, tag: str = "") -> dict[str, Any]:
    name = f"{name_of(order)} [{'0' * 32}]{tag}"
    return {"id": f"p{order}{tag}", "name": name, "exports": exports, "credits": credits, "deleted": deleted}


def taken(*orders: int, times: int = 1) -> Taken:
    return {((order, path), f"msg-{order}{path}"): times for order in orders for path in HOOK_PATHS}


def count(reported: list[Reported], projects: list[dict[str, Any]], arrived: Taken, **more: Any) -> Figures:
    fixed: dict[str, Any] = {
        "asked": len(reported),
        "asked_again": 0,
        "counts": {},
        "kills": 0,
        "deaths": 0,
        "wall_seconds": 1.0,
    }
    return figures(reported, projects=projects, taken=arrived, **{**fixed, **more})


def test_a_run_in_which_all_went_well_is_sound() -> None:
    found = count([Reported(1, "delivered"), Reported(2, "delivered")], [project(1), project(2)], taken(1, 2))
    assert found.sound
    assert (found.accepted, found.delivered, found.exports_started, found.credits_charged) == (2, 2, 2, 2)
    assert (found.credits_due, found.hooks_delivered, found.hooks_missing, found.hooks_repeated) == (2, 4, 0, 0)


@pytest.mark.parametrize("fate", ["lost", "stuck"])
def test_a_render_that_did_not_end_is_a_broken_promise(fate: Any) -> None:
    found = count([Reported(1, "delivered"), Reported(2, fate)], [project(1), project(2)], taken(1, 2))
    assert getattr(found, fate) == 1
    assert not found.sound


def test_a_failed_render_that_told_so_is_none() -> None:
    found = count([Reported(1, "failed")], [project(1, exports=1, credits=0)], taken(1))
    assert found.sound
    assert (found.failed, found.credits_due) == (1, 0)


def test_a_render_that_says_delivered_and_was_not_heard_of_is_missing_hooks() -> None:
    found = count([Reported(1, "delivered")], [project(1)], {((1, "/first"), "m"): 1})
    assert (found.hooks_delivered, found.hooks_missing) == (1, 1)
    assert not found.sound


@pytest.mark.parametrize(
    "projects",
    [[project(1, exports=2)], [project(1), project(1, tag=".2")]],
    ids=["one project exported twice", "two projects of one render exported"],
)
def test_exports_are_counted_by_render_over_all_its_projects(projects: list[dict[str, Any]]) -> None:
    found = count([Reported(1, "delivered")], projects, taken(1))
    assert (found.exports_started, found.exported_twice) == (2, 1)
    assert list(twice([*projects, project(2)])) == [1]
    assert not found.sound


def test_a_draft_that_is_neither_exported_nor_deleted_is_an_orphan() -> None:
    rest = [project(1), project(1, exports=0, tag=".b"), project(1, exports=0, tag=".c", deleted=True)]
    assert orphans_of(rest) == ["p1.b"]
    found = count([Reported(1, "delivered")], rest, taken(1))
    assert (found.projects_created, found.orphans_left, found.exported_twice) == (3, 1, 0)
    assert not found.sound


def test_a_hook_that_was_taken_twice_is_told_but_allowed() -> None:
    found = count([Reported(1, "delivered")], [project(1)], taken(1, times=2))
    assert (found.hooks_delivered, found.hooks_repeated) == (2, 2)
    assert found.sound


def test_a_hook_under_two_ids_is_a_broken_promise() -> None:
    arrived = {**taken(1), ((1, "/first"), "another"): 1}
    found = count([Reported(1, "delivered")], [project(1)], arrived)
    assert (found.hooks_delivered, found.hooks_under_two_ids) == (2, 1)
    assert not found.sound


def test_a_render_that_was_charged_and_not_delivered_was_paid_in_vain() -> None:
    found = count([Reported(1, "failed"), Reported(2, "delivered")], [project(1), project(2)], taken(1, 2))
    assert (found.credits_charged, found.credits_due, found.paid_in_vain) == (2, 1, 1)
    assert not found.sound


@pytest.mark.parametrize(
    "theirs",
    [project(2), project(1, deleted=True), project(1, exports=0, credits=0)],
    ids=["another's", "deleted", "never exported"],
)
def test_a_delivered_render_is_recorded_with_its_own_project_which_is_there(theirs: dict[str, Any]) -> None:
    reported = [Reported(1, "delivered", project_id=theirs["id"]), Reported(3, "delivered")]
    assert misled(reported, [theirs]) == reported[:1]
    assert not count(reported, [theirs], taken(1, 3)).sound
    assert misled([Reported(1, "delivered", project_id="p1")], [project(1)]) == []


def test_a_worker_that_ended_by_itself_spoils_the_run() -> None:
    assert not count([Reported(1, "delivered")], [project(1)], taken(1), deaths=1).sound


def test_hooks_of_renders_that_were_never_accepted_count_for_nothing() -> None:
    found = count([Reported(1, "delivered")], [project(1)], taken(1, 7))
    assert found.hooks_delivered == 2


def test_a_request_that_never_came_in_spoils_the_run() -> None:
    assert not count([Reported(1, "delivered")], [project(1)], taken(1), asked=2).sound


def test_calls_are_those_of_the_vendors_api() -> None:
    calls = {"POST /api/odin/v3/auth/token": 3, "GET /api/odin/v3/editor/progress/{key}": 9, "GET /files/{id}.mp4": 5}
    found = count([], [], {}, counts={**calls, "GET /_sandbox/counts": 7})
    assert (found.token_calls, found.vendor_calls) == (3, 12)


def test_the_order_number_survives_in_the_vendors_name() -> None:
    assert order_of(f"{name_of(42)} [0123456789abcdef0123456789abcdef]") == 42
    assert order_of("somebody else's project") is None


def message(task: str, args: list[Any], links: list[dict[str, Any]]) -> dict[str, Any]:
    body = json.dumps([args, {}, {"chain": links}]).encode()
    return {"body": base64.b64encode(body).decode(), "headers": {"task": task}}


def test_a_message_of_the_plain_chain_tells_whose_it_is_at_every_step() -> None:
    hooks = [{"task": "chain.hook", "args": [7, path]} for path in reversed(HOOK_PATHS)]
    poll, submit = {"task": "chain.poll", "args": []}, {"task": "chain.submit", "args": []}
    steps = [
        message("chain.build", [7, name_of(7)], [*hooks, poll, submit]),
        message("chain.submit", [{"name": name_of(7)}], [*hooks, poll]),
        message("chain.poll", ["project"], hooks),
        message("chain.hook", [7, "/first"], hooks[:1]),
        message("chain.hook", [7, "/second"], []),
    ]
    assert [order_of_message(step) for step in steps] == [7] * 5
    assert order_of_message(message("celery.ping", [], [])) is None
