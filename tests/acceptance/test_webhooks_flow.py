"""Completion by the vendor's webhooks alone, of v3 and v2: polling is put off beyond the end of every test."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from harness import until
from tests.acceptance.webhook_system import NEVER, WebhookSystem, calls, start_webhook_system

__all__ = ["start_webhook_system"]

VENDORS = {
    "default": (),
    "duplicate": ("--webhooks", "duplicate"),
    "reordered": ("--webhooks", "reordered"),
    "wrapped": ("--webhooks", "wrapped"),
    "final": ("--webhooks", "final-only"),
}
V2_VENDORS = {
    "top": ("--v2-answers", "top"),
    "data": ("--v2-answers", "data"),
    "silent": ("--webhooks", "none"),
}
SPOKEN = {"language": "en", "text": "Hello.", "model": "M000004017"}
AUDIO = {"kind": "v2_simple_audio", **SPOKEN}
VIDEO = {"kind": "v2_simple_video", **SPOKEN, "clothes": "BG00006160"}
EXPECTED = {"POST /v3/editor/project": 1, "POST /v3/editor/project/export": 1, "GET /v3/editor/progress/{key}": 1}


@pytest.fixture(scope="module")
def called(start_webhook_system: Callable[..., WebhookSystem]) -> WebhookSystem:
    options = {name: ("--render-seconds", "1", *given) for name, given in {**VENDORS, **V2_VENDORS}.items()}
    late = dict.fromkeys(("RENDERLINE_POLL_MIN", "RENDERLINE_POLL_MAX", "RENDERLINE_WEBHOOK_POLL"), NEVER)
    return start_webhook_system(options, **late)


def test_with_three_calls_a_render_is_completed_at_once_in_every_mode_of_calling(called: WebhookSystem) -> None:
    ids = {account: called.enqueue(called.system.request(), account=account) for account in VENDORS}
    for account, render in ids.items():
        record = called.delivery(render)
        assert (record["state"], record["progress"], record["credit"]) == ("completed", 100, 1), account
        assert calls(called.vendors[account]) == EXPECTED, account
        project = called.project(account, render)
        assert record["download_url"] == f"{called.vendors[account].url}/files/{project['id']}.mp4"
        assert (project["exports"], record["polls"]) == (1, 1)
        assert called.reaches(render, "delivered")["hooks"][1]["attempts"] == 1


def test_progress_is_seen_without_asking(called: WebhookSystem) -> None:
    render = called.enqueue(called.system.request("Slow. [sandbox:slow=8]", hooks=[]), account="default")
    until(lambda: called.record(render)["progress"] >= 25)
    assert (called.record(render)["polls"], called.record(render)["state"]) == (0, "rendering")
    called.vendors["default"].control("POST", "complete", id=called.project("default", render)["id"])
    assert called.reaches(render, "delivered")["polls"] == 1


def test_calls_before_the_answer_to_the_export_are_not_lost(called: WebhookSystem) -> None:
    """The answer is held back until the render is done and the vendor has made all its calls."""
    vendor = called.vendors["wrapped"]
    route = "POST /api/odin/v3/editor/project/export"
    vendor.control("POST", "faults", call=route, fault="hold", times=1)
    before = calls(vendor).get("GET /v3/editor/progress/{key}", 0)
    render = called.enqueue(called.system.request(), account="wrapped")
    until(lambda: [project for project in vendor.projects() if render in project["name"] and project["completed_at"]])
    assert called.record(render)["state"] == "submitting"
    vendor.control("POST", "release")
    assert called.delivery(render)["credit"] == 1
    assert calls(vendor)["GET /v3/editor/progress/{key}"] == before + 1
    assert called.project("wrapped", render)["exports"] == 1


def test_called_done_too_early_it_is_followed_until_it_is(called: WebhookSystem) -> None:
    """A webhook says 100, the vendor's progress does not: the render is polled again and is not done yet."""
    render = called.enqueue(called.system.request("Hello. [sandbox:slow=100]", hooks=[]), account="default")
    called.reaches(render, "rendering")
    until(lambda: called.project("default", render)["exports"] == 1)
    webhook = {"progress": 100, "credit": 9, "download_url": "https://elsewhere.test/1.mp4"}
    assert requests.post(called.url(render), json=webhook, timeout=30).status_code == 204
    until(lambda: called.record(render)["polls"] == 1)
    assert called.record(render)["state"] == "rendering"
    called.vendors["default"].control("POST", "complete", id=called.project("default", render)["id"])
    record = called.reaches(render, "delivered")
    assert "elsewhere" not in record["download_url"]
    assert record["credit"] == 1


def test_forged_expired_and_unknown_addresses_lead_nowhere(called: WebhookSystem) -> None:
    render = called.enqueue(called.system.request("Hello. [sandbox:slow=1000]", hooks=[]), account="default")
    called.reaches(render, "rendering")
    until(lambda: called.project("default", render)["exports"] == 1)
    url = called.project("default", render)["webhook_url"]
    until(lambda: called.record(render)["state"] == "rendering")
    time_gone = type(called.urls)(called.urls.public_url, called.urls.key, lambda: time.time() - 2e5)
    wrong = [
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url.replace(render, "0" * 32),
        f"{url.rpartition('/')[0]}/1.9999999999.{'a' * 64}",
        time_gone.url(render, attempt=1, seconds=600.0),
        called.url(render, attempt=2),
        called.url("0" * 32),
        f"{called.gateway.url}/webhooks/aistudios/x/y",
    ]
    before = called.record(render)
    done = {"progress": 100, "credit": 7, "download_url": "https://elsewhere.test/1.mp4"}
    answers = [requests.post(one, json=done, timeout=30) for one in wrong]
    answers += [requests.get(one, params={"videoUrl": "https://elsewhere.test/1.mp4"}, timeout=30) for one in wrong]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}
    assert called.record(render) == before
    # The address itself is good.
    assert requests.post(url, json={"progress": 40}, timeout=30).status_code == 204
    assert called.record(render)["progress"] == 40


def test_neither_log_shows_an_address_that_somebody_could_call(called: WebhookSystem) -> None:
    signatures = [project["webhook_url"].rpartition(".")[2] for project in called.vendors["default"].projects()]
    logs = called.gateway.output() + "".join(worker.output() for worker in called.system.workers)
    assert signatures
    assert "webhook received" in logs
    assert not [signature for signature in signatures if signature in logs]
    assert "elsewhere.test" not in json.dumps(logs)


def enqueue(called: WebhookSystem, request: dict[str, Any], account: str) -> str:
    return called.enqueue({**request, "hooks": called.system.request()["hooks"]}, account=account)


def only_project(called: WebhookSystem, account: str, url: str) -> dict[str, Any]:
    """Return the vendor's project that has this webhook URL: v2 projects carry no name of ours."""
    (found,) = (one for one in called.vendors[account].projects() if url in str(one["webhook_url"]))
    return found


@pytest.mark.parametrize("account", ["default", "duplicate", "top", "data"])
@pytest.mark.parametrize(("request_", "ending"), [(AUDIO, "wav"), (VIDEO, "mp4")], ids=["audio", "video"])
def test_a_render_is_completed_by_its_webhook_and_one_poll(
    called: WebhookSystem, account: str, request_: dict[str, Any], ending: str
) -> None:
    before = calls(called.vendors[account])
    render = enqueue(called, request_, account)
    record = called.delivery(render)
    assert (record["state"], record["progress"], record["polls"]) == ("completed", 100, 1)
    project = only_project(called, account, render)
    assert record["project_id"] == project["id"]
    assert record["stored_url"].endswith(f"/{render}.{ending}")
    made = {name: count - before.get(name, 0) for name, count in calls(called.vendors[account]).items()}
    simple = "/simple/audio" if ending == "wav" else "/simple/video"
    assert {name: count for name, count in made.items() if count} == {
        f"POST {simple}": 1,
        "GET /editor/progress/{key}": 1,
    }


@pytest.mark.parametrize("separator", ["?", "?x=1&", "?x=1?"])
def test_a_lost_answer_is_found_by_the_webhook(called: WebhookSystem, separator: str) -> None:
    """The query may be appended to a URL that has one already."""
    vendor = called.vendors["silent"]
    text = f"Hello. [sandbox:drop#{separator.count('?')}{len(separator)}]"
    render = enqueue(called, {**AUDIO, "text": text}, "silent")
    called.reaches(render, "unconfirmed")
    project = only_project(called, "silent", render)
    result = {
        "ai_progress_update_loc": f"ai-video/{project['id']}/",
        "videoUrl": f"{vendor.url}/files/{project['id']}.wav",
        "duration": "3.274014",
    }
    vendor.control("POST", "complete", id=project["id"])
    answer = requests.get(f"{project['webhook_url']}{separator}{urlencode(result)}", timeout=30)
    assert answer.status_code == 204
    record = called.delivery(render)
    assert (record["state"], record["project_id"]) == ("completed", project["id"])
    assert sum(one["exports"] for one in vendor.projects() if one["webhook_url"] == project["webhook_url"]) == 1


def test_without_a_webhook_a_lost_answer_stays_unconfirmed(called: WebhookSystem) -> None:
    render = enqueue(called, {**VIDEO, "text": "Hello. [sandbox:drop#stays]", "deadline": 3600}, "silent")
    called.reaches(render, "unconfirmed")
    until(lambda: only_project(called, "silent", render)["completed_at"])
    record = called.record(render)
    assert (record["state"], record["project_id"]) == ("unconfirmed", None)


def test_a_worker_killed_in_its_calls_is_followed_by_one_that_trusts_the_webhooks(called: WebhookSystem) -> None:
    vendor = called.vendors["default"]
    requests_ = [{**one, "text": f"Hello. [sandbox:hang=60@export#{one['kind']}]"} for one in (AUDIO, VIDEO)]
    renders = [enqueue(called, request, "default") for request in requests_]

    def rendered(render: str) -> bool:
        return any(render in str(one["webhook_url"]) and one["completed_at"] for one in vendor.projects())

    until(lambda: all(map(rendered, renders)))
    called.system.workers[-1].kill()
    called.system.start_worker()
    for render in renders:
        record, project = called.delivery(render), only_project(called, "default", render)
        assert (record["state"], record["project_id"], project["exports"]) == ("completed", project["id"], 1)
