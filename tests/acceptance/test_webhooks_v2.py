"""The webhooks of v2: the result comes as a query string on our URL, and polling is put off beyond every test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from harness import until
from tests.acceptance.webhook_system import NEVER, WebhookSystem, calls, start_webhook_system

__all__ = ["start_webhook_system"]

SPOKEN = {"language": "en", "text": "Hello.", "model": "M000004017"}
AUDIO = {"kind": "v2_simple_audio", **SPOKEN}
VIDEO = {"kind": "v2_simple_video", **SPOKEN, "clothes": "BG00006160"}
VENDORS = {
    "default": (),
    "duplicate": ("--webhooks", "duplicate"),
    "top": ("--v2-answers", "top"),
    "data": ("--v2-answers", "data"),
    "silent": ("--webhooks", "none"),
}


@pytest.fixture(scope="module")
def called(start_webhook_system: Callable[..., WebhookSystem]) -> WebhookSystem:
    options = {name: ("--render-seconds", "1", *given) for name, given in VENDORS.items()}
    late = dict.fromkeys(("RENDERLINE_POLL_MIN", "RENDERLINE_POLL_MAX", "RENDERLINE_WEBHOOK_POLL"), NEVER)
    return start_webhook_system(options, **late)


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
