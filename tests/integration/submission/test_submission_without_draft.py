"""Kinds whose first call costs something: without an answer it is not made again, and what shows that it was taken."""

from __future__ import annotations

import json

import pytest

from harness.forked_sandbox import ForkedSandbox
from harness.local_worker import local_workers
from harness.samples import example
from renderline.ledger import Commands
from renderline.submission.outcome import Refused, Submitted

SPOKEN = {"language": "en", "text": "Hello.", "model": "M000045058"}
DRESSED = {**SPOKEN, "clothes": "BG00002320"}
FIRST_CALLS = {
    "audio": {"kind": "audio", **SPOKEN},
    "v2_simple_audio": {"kind": "v2_simple_audio", **SPOKEN},
    "v2_simple_video": {"kind": "v2_simple_video", **DRESSED},
}


def marked(kind, tag):
    """Return a request of the kind with a magic tag of the sandbox in its text."""
    return {**FIRST_CALLS[kind], "text": f"Hello. [sandbox:{tag}#{kind}]"}


def started(worker):
    """Return how often the vendor started something that costs."""
    return sum(worker.sandbox.control("GET", "charges")["started"].values())


def tell(worker, one, **content):
    """Record a webhook as the gateway does."""
    given = {"progress": None, "credit": None, "url": None, "project_id": None, "attempt": 1, "draft": 1, **content}
    Commands(worker.ledger).record_webhook(one, poll_in=1.0, alive_for=10.0, **given)
    worker.wakes += worker.ledger.restart_pumps()


def test_speech_is_completed_by_its_answer(local_worker):
    local_worker.accept(FIRST_CALLS["audio"], "r1")
    assert isinstance(local_worker.submit("r1"), Submitted)
    record = local_worker.record("r1")
    assert (record["state"], record["progress"], record["project_id"], record["polls"]) == ("delivered", 100, None, 0)
    assert record["download_url"].endswith(".wav")
    assert started(local_worker) == 1


def test_speech_whose_answer_was_lost_leaves_no_trace(local_worker):
    local_worker.accept(marked("audio", "drop"), "r1", deadline=1.0)
    local_worker.submit("r1")
    assert local_worker.record("r1")["state"] == "unconfirmed"
    record = local_worker.poll_until("r1", "expired")
    assert record["error"]["code"] == "unconfirmed"
    assert "leaves no trace" in record["error"]["message"]
    assert started(local_worker) == 1


@pytest.mark.parametrize("kind", FIRST_CALLS)
def test_a_refused_call_fails_the_render_and_costs_nothing(local_worker, kind):
    local_worker.accept(marked(kind, "refuse"), "r1")
    assert isinstance(local_worker.submit("r1"), Refused)
    assert local_worker.record("r1")["error"]["origin"] == "vendor"
    assert started(local_worker) == 0


@pytest.mark.parametrize("kind", ["v2_simple_audio", "v2_simple_video"])
def test_a_lost_answer_of_v2_is_found_by_the_webhook_alone(local_worker, kind):
    local_worker.accept(marked(kind, "drop"), "r1")
    local_worker.submit("r1")
    assert local_worker.record("r1")["state"] == "unconfirmed"
    (project,) = local_worker.seen()
    url = f"{local_worker.sandbox.url}/files/reported.wav"
    tell(local_worker, "r1", progress=100.0, url=url, project_id=project["id"])
    record = local_worker.poll_until("r1", "delivered")
    assert (record["project_id"], record["download_url"] != url) == (project["id"], True)
    assert started(local_worker) == 1


def test_a_webhook_of_v2_that_names_no_key_gives_its_url(local_worker):
    local_worker.accept(marked("v2_simple_audio", "drop"), "r1")
    local_worker.submit("r1")
    url = f"{local_worker.sandbox.url}/files/reported.wav"
    tell(local_worker, "r1", progress=100.0, url=url)
    record = local_worker.poll_until("r1", "delivered")
    assert (record["project_id"], record["download_url"]) == (None, url)


def rendered_before(worker):
    """Return the key of a v2 project that has a video."""
    key = worker.v2.create_project({**example("v2-seed-minimal.json"), "name": "[sandbox:slow=1]"})
    worker.sandbox.control("POST", "complete", id=key)
    assert worker.v2.progress(key).download_url
    return key


def edit(key, script="Other words."):
    update = {"sceneIdx": 0, "property": "AIModel", "values": {"script": script}}
    return {"kind": "v2_edit", "project_id": key, "updates": [update]}


def test_an_edit_is_done_once_its_project_has_shown_another_progress(local_worker):
    key = rendered_before(local_worker)
    local_worker.accept(edit(key, "Other words. [sandbox:slow=20]"), "r1")
    assert isinstance(local_worker.submit("r1"), Submitted)
    baseline = json.loads(local_worker.redis.hget("renderline:render:r1", "baseline"))
    assert (baseline["progress"], bool(baseline["url"])) == (100, True)
    local_worker.poll_until("r1", progress=1)
    local_worker.sandbox.control("POST", "complete", id=key)
    assert local_worker.poll_until("r1", "delivered")["project_id"] == key


def test_an_edit_is_not_done_while_its_project_shows_what_it_showed_before(local_worker):
    key = rendered_before(local_worker)
    local_worker.accept(edit(key), "r1", deadline=1.0)
    local_worker.submit("r1")
    # The vendor may show the earlier video for a while, under the same URL.
    local_worker.sandbox.control("POST", "complete", id=key)
    record = local_worker.poll_until("r1", "expired", "delivered")
    assert (record["state"], record["download_url"]) == ("expired", None)


def test_an_edit_whose_answer_was_lost_is_found_by_the_progress_of_its_project(local_worker):
    key = rendered_before(local_worker)
    before = started(local_worker)
    local_worker.accept(edit(key, "Other words. [sandbox:drop#edit][sandbox:slow=9]"), "r1")
    local_worker.submit("r1")
    assert local_worker.record("r1")["state"] == "unconfirmed"
    assert local_worker.poll_until("r1", "rendering")["project_id"] == key
    assert started(local_worker) == before + 1


def test_an_edit_that_never_arrived_stays_unconfirmed(local_worker):
    key = rendered_before(local_worker)
    before = started(local_worker)
    local_worker.accept(edit(key, "Other words. [sandbox:drop-before#edit]"), "r1", deadline=1.0)
    record = local_worker.poll_until("r1", "expired")
    assert record["error"]["code"] == "unconfirmed"
    assert started(local_worker) == before


def test_an_edit_of_a_scene_that_is_not_there_costs_nothing(local_worker):
    key = rendered_before(local_worker)
    before = started(local_worker)
    request = edit(key)
    request["updates"].append({**request["updates"][0], "sceneIdx": 1})
    local_worker.accept(request, "r1")
    assert isinstance(local_worker.submit("r1"), Refused)
    error = local_worker.record("r1")["error"]
    assert (error["origin"], error["message"].partition(":")[0]) == ("caller", "updates.1.sceneIdx")
    assert started(local_worker) == before


@pytest.fixture
def copying_worker(redis, tmp_path):
    """A worker whose vendor answers an edit with a new project."""
    sandbox = ForkedSandbox(tmp_path / "sandbox.log", "--render-seconds", "0.5", "--edits", "new")
    with local_workers(redis, sandbox) as new:
        yield new()
    sandbox.stop()


def test_an_edit_that_makes_a_copy_is_followed_there(copying_worker):
    key = rendered_before(copying_worker)
    copying_worker.accept(edit(key), "r1")
    record = copying_worker.poll_until("r1", "delivered", "expired")
    assert (record["state"], record["project_id"] not in (None, key)) == ("delivered", True)
    assert record["project_id"] in record["download_url"]
    assert copying_worker.ledger.project_tenant("main", record["project_id"]) == "default"


def test_a_copy_whose_answer_was_lost_leaves_no_trace_in_the_named_project(copying_worker):
    key = rendered_before(copying_worker)
    before = started(copying_worker)
    copying_worker.accept(edit(key, "Other words. [sandbox:drop#copy]"), "r1", deadline=1.0)
    assert copying_worker.poll_until("r1", "delivered", "expired")["error"]["code"] == "unconfirmed"
    assert started(copying_worker) == before + 1
