"""Canceling and retrying renders, and replaying hooks, through the command line on a running system."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from harness import until
from renderline.ledger import Ledger
from tests.acceptance.command_line import CommandLine, CommandLineHere, reach
from tests.acceptance.conftest import System


@pytest.fixture(scope="module")
def system(start_system: Any) -> System:
    return start_system("--render-seconds", "1", "--list", "all", workers=1)


@pytest.fixture
def renderline(system: System, tmp_path: Path) -> CommandLine:
    system.hook_endpoint.answer = lambda _: 204
    while not system.hook_endpoint.received.empty():
        system.hook_endpoint.received.get_nowait()
    return CommandLineHere(system.environ, tmp_path)


def complete(system: System, render: str) -> None:
    """Have the vendor finish a render now. Until then the tests may take as long as a slow machine makes them."""
    system.sandbox.control("POST", "complete", id=system.projects_of(render)[-1]["id"])


def submit(renderline: CommandLine, request: dict[str, Any], *more: str) -> str:
    (record,) = renderline.json("submit", "-", *more, given=json.dumps(request))
    return record["id"]


def test_canceled_before_its_submission_it_never_reaches_the_vendor(system: System, renderline: CommandLine) -> None:
    assert renderline("pause", "default").code == 0
    try:
        render = submit(renderline, system.request())
        (step,) = renderline.json("cancel", render, "--delete-project")
        assert (step["done"], step["state"], step["project"]) == (True, "canceled", "none")
    finally:
        assert renderline("resume", "default").code == 0
    # What comes after it has gone the whole way, so its turn has passed.
    after = submit(renderline, system.request("Afterwards.", hooks=[]), "--wait")
    assert system.projects_of(after)
    assert system.projects_of(render) == []
    assert set(renderline.json("status", render)[0]["times"]) == {"accepted", "canceled"}


def test_canceled_while_rendering_it_is_not_followed_and_no_hook_runs(system: System, renderline: CommandLine) -> None:
    render = submit(renderline, system.request("[sandbox:slow=80]"))
    reach(system, render, "rendering")
    (step,) = renderline.json("cancel", render)
    assert (step["done"], step["project"]) == (True, "untouched")

    (project,) = system.projects_of(render)
    complete(system, render)
    until(lambda: system.projects_of(render)[0]["state"] == "exported", what="the vendor goes on by itself")
    record = reach(system, render, "canceled")

    def states() -> list[str]:
        return [hook["state"] for hook in reach(system, render, "canceled")["hooks"]]

    # Each is skipped when its turn comes.
    until(lambda: states() == ["skipped", "skipped"], what="both hooks skipped")
    assert record["project_id"] == project["id"]
    assert record["stored_url"] is None
    assert system.hook_endpoint.received.empty()
    again = renderline.json("cancel", render)
    assert again[0]["done"]


def test_a_hook_may_ask_to_be_told_of_a_cancellation(system: System, renderline: CommandLine) -> None:
    hook = {"type": "http", "url": system.hook_endpoint.url, "events": ["render.canceled"]}
    render = submit(renderline, system.request("[sandbox:slow=80]", hooks=[hook]))
    renderline.json("cancel", render)
    _, body = system.hook_endpoint.take()
    assert json.loads(body)["type"] == "render.canceled"
    assert json.loads(body)["data"]["state"] == "canceled"


def test_a_project_is_deleted_if_asked_for(system: System, renderline: CommandLine) -> None:
    render = submit(renderline, system.request("[sandbox:slow=80]", hooks=[]))
    record = reach(system, render, "rendering")
    (step,) = renderline.json("cancel", render, "--delete-project")
    assert step["project"] == "deleted"
    assert [one["id"] for one in system.projects_of(render) if not one["deleted"]] == [], record["project_id"]


def test_a_project_that_was_there_before_is_kept(system: System, renderline: CommandLine) -> None:
    source = submit(renderline, system.request("[sandbox:slow=80]", hooks=[]))
    reach(system, source, "rendering")
    complete(system, source)
    project = reach(system, source, "delivered")["project_id"]
    render = submit(renderline, {"kind": "export", "project_id": project})
    reach(system, render, "rendering")
    (step,) = renderline.json("cancel", render, "--delete-project")
    assert step["project"] == "kept"
    assert "no project of its own" in step["why"]


def test_what_has_ended_stays_as_it_is(system: System, renderline: CommandLine) -> None:
    render = submit(renderline, system.request(hooks=[]), "--wait")
    before = renderline.json("status", render)
    (step,) = renderline.json("cancel", render, code=1)
    assert (step["done"], step["state"]) == (False, "delivered")
    assert renderline.json("status", render) == before
    assert renderline.json("retry", render, code=1)[0]["done"] is False
    assert renderline("cancel", "0" * 32).code == 5


def test_a_retry_is_a_new_attempt_of_the_same_record(system: System, renderline: CommandLine) -> None:
    # In both attempts the answer to the draft is lost, so each must find its own project by its name.
    script = "[sandbox:drop@draft*2] [sandbox:slow=80]"
    render = submit(renderline, system.request(script, hooks=system.request()["hooks"][1:]))
    reach(system, render, "rendering")
    with Redis.from_url(system.valkey.url, decode_responses=True) as client:
        assert Ledger(client, grace=1.0).fail(render, code="7001", message="The wrong script.", origin="vendor")
    first = reach(system, render, "failed")
    assert first["error"] == {"code": "7001", "message": "The wrong script.", "origin": "vendor"}
    sent, body = system.hook_endpoint.take()
    assert json.loads(body)["type"] == "render.failed"

    (step,) = renderline.json("retry", render)
    assert (step["done"], step["message"]) == (True, "attempt 2")
    until(lambda: len(system.projects_of(render)) == 2 and system.projects_of(render)[1]["exports"], what="attempt 2")
    complete(system, render)
    second = reach(system, render, "delivered")

    assert second["attempt"] == 2
    assert second["project_id"] != first["project_id"]
    (past,) = second["history"]
    assert past["state"] == "failed"
    assert past["error"] == first["error"]
    assert past["project_id"] == first["project_id"]
    assert past["hooks"][0]["state"] == "delivered"
    projects = {one["id"]: one for one in system.projects_of(render)}
    assert set(projects) == {first["project_id"], second["project_id"]}
    assert projects[second["project_id"]]["name"].endswith(f"[{render}.2]")
    assert [one["exports"] for one in projects.values()] == [1, 1]
    sent_again, body = system.hook_endpoint.take()
    assert json.loads(body)["type"] == "render.completed"
    assert sent_again["webhook-id"] != sent["webhook-id"]


def test_an_expired_render_is_retried(system: System, renderline: CommandLine) -> None:
    render = submit(renderline, system.request("[sandbox:stuck]", hooks=[], deadline=1))
    reach(system, render, "expired")
    assert renderline.json("retry", render)[0]["done"]
    # Stuck again: that it was submitted anew is what counts.
    until(lambda: len(system.projects_of(render)) == 2, what="a project for attempt 2")
    assert reach(system, render, "expired")["attempt"] == 2


def test_a_replayed_hook_comes_under_the_same_id(system: System, renderline: CommandLine) -> None:
    system.hook_endpoint.answer = lambda _: 410
    render = submit(renderline, system.request(hooks=system.request()["hooks"][1:]))
    refused, _ = system.hook_endpoint.take()
    reach(system, render, "undelivered")
    (letter,) = [one for one in renderline.json("dead", "list") if one["id"] == render]
    assert letter["hook"] == 0
    (shown,) = renderline.json("dead", "show", render)
    assert shown["request"]["url"] == system.hook_endpoint.url
    assert "410" in shown["error"]

    system.hook_endpoint.answer = lambda _: 204
    assert renderline.json("dead", "replay", render)[0]["done"]
    taken, body = system.hook_endpoint.take()
    assert taken["webhook-id"] == refused["webhook-id"]
    assert json.loads(body)["data"]["id"] == render
    assert reach(system, render, "delivered")["hooks"][0]["state"] == "delivered"
    assert [one for one in renderline.json("dead", "list") if one["id"] == render] == []
