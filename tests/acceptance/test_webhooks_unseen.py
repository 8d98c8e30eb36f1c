"""Webhooks confirm what no poll could yet; where they never arrive, or stop, polling finds what is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import requests

from harness import ROOT, until
from tests.acceptance.webhook_system import NEVER, WebhookSystem, calls, start_webhook_system

__all__ = ["start_webhook_system"]

UNHEARD = ("--webhooks", "none", "--render-seconds", "1")


@pytest.fixture(scope="module")
def called(start_webhook_system: Callable[..., WebhookSystem]) -> WebhookSystem:
    """A worker that makes one call for create and export and polls next to never; vendors that list the finished."""
    late = dict.fromkeys(("RENDERLINE_POLL_MIN", "RENDERLINE_POLL_MAX", "RENDERLINE_WEBHOOK_POLL"), NEVER)
    shy = ("--list", "exported", "--render-seconds", "3")
    silent = (*shy, "--webhooks", "none")
    vendors = {"default": shy, "silent": silent, "unheard": UNHEARD, "working": ("--render-seconds", "4")}
    return start_webhook_system(vendors, RENDERLINE_SUBMIT="direct", **late)


@pytest.fixture(scope="module")
def polled(called: WebhookSystem) -> WebhookSystem:
    """The same system with a worker that polls, in the place of the other."""
    called.system.workers[-1].kill()
    polls = {"RENDERLINE_POLL_MIN": "0.3", "RENDERLINE_POLL_MAX": "60", "RENDERLINE_WEBHOOK_POLL": "2"}
    called.system.start_worker(RENDERLINE_SUBMIT="two_phase", **polls)
    return called


def example(name: str) -> dict[str, object]:
    return json.loads((ROOT / "examples" / name).read_text())


def test_the_vendors_call_proves_that_it_was_accepted(called: WebhookSystem) -> None:
    render = called.enqueue(called.system.request("Hello. [sandbox:drop]"), account="default")
    record = called.delivery(render)
    project = called.project("default", render)
    assert (project["exports"], record["project_id"], record["credit"]) == (1, project["id"], 1)
    assert calls(called.vendors["default"])["GET /v3/editor/progress/{key}"] == 1


def test_a_render_without_a_project_to_ask_is_completed_by_what_the_call_told(called: WebhookSystem) -> None:
    """A chroma-key video has no name by which its project could be found."""
    payload = {**example("v3-simple-video.json"), "text": "Hello. [sandbox:drop#simple]"}
    hooks = called.system.request()["hooks"]
    render = called.enqueue({"kind": "simple_video", "payload": payload, "hooks": hooks}, account="default")
    record = called.delivery(render)
    assert (record["state"], record["project_id"], record["credit"]) == ("completed", None, 1)
    stored = Path(unquote(urlsplit(record["stored_url"]).path)).read_bytes()
    assert stored[4:8] == b"ftyp"


def test_v2_tells_which_project_it_is(called: WebhookSystem) -> None:
    payload = example("v2-seed-minimal.json")
    payload["scenes"][0]["AIModel"]["script"] += " [sandbox:drop]"  # type: ignore[index]
    hooks = called.system.request()["hooks"]
    render = called.enqueue({"kind": "v2_project", "payload": payload, "hooks": hooks}, account="silent")
    vendor = called.vendors["silent"]
    called.reaches(render, "unconfirmed")
    (project,) = (project for project in vendor.projects() if project["api"] == "v2")
    vendor.control("POST", "complete", id=project["id"])
    webhook = {
        "ai_progress_update_loc": f"ai-video/{project['id']}/",
        "videoUrl": "https://elsewhere.test/v2.mp4",
        "duration": "3.274014",
    }
    assert requests.get(called.url(render), params=webhook, timeout=30).status_code == 204
    record = called.delivery(render)
    assert (record["project_id"], project["exports"]) == (project["id"], 1)
    assert record["download_url"] == f"{vendor.url}/files/{project['id']}.mp4"
    assert calls(vendor)["GET /editor/progress/{key}"] == 1


def test_without_a_call_it_stays_unconfirmed_and_is_not_paid_twice(called: WebhookSystem) -> None:
    render = called.enqueue(called.system.request("Hello. [sandbox:drop]"), account="silent")
    called.reaches(render, "unconfirmed")
    until(lambda: called.project("silent", render)["completed_at"])
    assert called.record(render)["state"] == "unconfirmed"
    assert requests.post(called.url(render), json={"progress": 50}, timeout=30).status_code == 204
    assert called.record(render)["state"] == "rendering"
    assert requests.post(called.url(render), json={"success": True, "data": {"progress": 100}}, timeout=30).ok
    assert called.delivery(render)["project_id"] == called.project("silent", render)["id"]
    assert called.project("silent", render)["exports"] == 1


def test_where_none_ever_arrives_polling_is_as_close_as_without(polled: WebhookSystem) -> None:
    render = polled.enqueue(polled.system.request(), account="unheard")
    assert (
        "webhooks/aistudios"
        in until(lambda: [one["webhook_url"] for one in polled.vendors["unheard"].projects() if one["webhook_url"]])[0]
    )
    record = polled.delivery(render)
    assert record["state"] == "completed"
    assert polled.ledger.redis.exists("renderline:webhooks_alive:unheard") == 0


def test_where_they_stop_polling_finds_the_end_and_relies_on_them_no_more(polled: WebhookSystem) -> None:
    first = polled.enqueue(polled.system.request("Hello. [sandbox:slow=100]", hooks=[]), account="unheard")
    polled.reaches(first, "rendering")
    assert requests.post(polled.url(first), json={"progress": 1}, timeout=30).status_code == 204
    assert polled.ledger.redis.exists("renderline:webhooks_alive:unheard") == 1
    # This one is no longer called about.
    second = polled.enqueue(polled.system.request(), account="unheard")
    record = polled.delivery(second)
    assert record["polls"] == 1
    assert polled.ledger.redis.exists("renderline:webhooks_alive:unheard") == 0


def test_while_they_arrive_there_is_next_to_no_polling(polled: WebhookSystem) -> None:
    ids = [polled.enqueue(polled.system.request(hooks=[]), account="working") for _ in range(5)]
    for one in ids:
        assert polled.reaches(one, "delivered")["polls"] <= 2
    vendor = polled.vendors["working"]
    assert calls(vendor)["GET /v3/editor/progress/{key}"] <= 2 * len(ids)
    assert {project["exports"] for project in vendor.projects()} == {1}
