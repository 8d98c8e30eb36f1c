"""Webhooks confirm renders whose paid call had no answer; the number of vendor calls until others are confirmed."""

import pytest

from harness import example
from harness.forked_sandbox import ForkedSandbox
from harness.local_worker import local_workers
from renderline.ledger import Commands

AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}
NOWHERE = "https://elsewhere.test/not-asked-for.mp4"


@pytest.fixture(scope="module")
def shy_sandbox(tmp_path_factory):
    """A vendor that lists only what is finished, and calls nobody."""
    options = ("--list", "exported", "--webhooks", "none", "--render-seconds", "300")
    process = ForkedSandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.log", *options)
    yield process
    process.stop()


@pytest.fixture
def new_local_worker(redis, shy_sandbox):
    shy_sandbox.control("POST", "reset")
    with local_workers(redis, shy_sandbox) as new:
        yield new


def compact(tag):
    return {"kind": "project", "name": "Welcome", "scenes": [{"script": f"Hello. {tag}", "avatar": AVATAR}]}


def hint(local_worker, one, **details):
    """Do what the receiver does with a call."""
    state, wake = Commands(local_worker.ledger).record_webhook(one, attempt=1, poll_in=60.0, alive_for=600.0, **details)
    if wake:
        local_worker.wakes.append(wake)
    return state


def finish(local_worker):
    (project,) = local_worker.sandbox.projects()
    local_worker.sandbox.control("POST", "complete", id=project["id"])
    return project["id"]


def read_calls(local_worker):
    counts = local_worker.sandbox.counts()
    return {name.partition("/odin/")[2]: count for name, count in counts.items() if name.startswith("GET")}


def test_a_two_phase_render_is_confirmed_by_one_progress_call(new_local_worker):
    local_worker = new_local_worker(mode="two_phase")
    local_worker.accept(compact("[sandbox:drop]"), "a" * 32)
    local_worker.submit("a" * 32)
    assert local_worker.record("a" * 32)["state"] == "unconfirmed"
    project = finish(local_worker)
    assert hint(local_worker, "a" * 32, progress=100.0, credit=1.0, url=NOWHERE) == "rendering"
    record = local_worker.poll_until("a" * 32, "delivered")
    assert read_calls(local_worker) == {"v3/editor/progress/{key}": 1}
    assert (record["project_id"], record["credit"], local_worker.exports()) == (project, 1, 1)
    # The vendor's answer counts, not what the call said.
    assert record["download_url"] == f"{local_worker.sandbox.url}/files/{project}.mp4"


def test_a_direct_one_is_found_by_its_name_once_it_is_finished(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    one = local_worker.accept(compact("[sandbox:drop]"), "b" * 32)
    local_worker.submit(one)
    assert hint(local_worker, one) == "rendering"
    # Not in the list before it is finished: nothing to find, and nothing is lost either.
    local_worker._pump(local_worker.wakes.pop())
    record = local_worker.record(one)
    assert (record["state"], record["polls"], record["project_id"]) == ("rendering", 1, None)
    project = finish(local_worker)
    hint(local_worker, one, progress=100.0, url=NOWHERE)
    record = local_worker.poll_until(one, "delivered")
    assert (record["project_id"], local_worker.exports()) == (project, 1)
    assert record["download_url"] == f"{local_worker.sandbox.url}/files/{project}.mp4"
    assert read_calls(local_worker)["v3/editor/progress/{key}"] == 1


def test_one_that_leaves_no_trace_is_completed_with_the_address_that_the_call_told(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    body = example("v3-simple-video.json")
    one = local_worker.accept({"kind": "simple_video", "payload": {**body, "text": "Hello. [sandbox:drop]"}}, "c" * 32)
    local_worker.submit(one)
    assert local_worker.record(one)["state"] == "unconfirmed"
    project = finish(local_worker)
    hint(local_worker, one, progress=100.0, credit=1.0, url=f"{local_worker.sandbox.url}/files/{project}.mp4")
    record = local_worker.poll_until(one, "delivered")
    assert (record["project_id"], record["credit"]) == (None, 1)
    assert record["download_url"] == f"{local_worker.sandbox.url}/files/{project}.mp4"
    assert (read_calls(local_worker), local_worker.exports()) == ({}, 1)


def test_one_that_leaves_no_trace_expires_if_no_address_is_told_either(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    body = example("v3-simple-video.json")
    request = {"kind": "simple_video", "payload": {**body, "text": "Hello. [sandbox:drop]"}}
    one = local_worker.accept(request, "d" * 32, deadline=1.0)
    local_worker.submit(one)
    hint(local_worker, one, progress=75.0)
    record = local_worker.poll_until(one, "expired")
    assert (record["error"]["code"], record["error"]["origin"]) == ("deadline", "renderline")
    assert local_worker.exports() == 1


def test_v2_names_its_project_in_the_call(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    body = example("v2-seed-minimal.json")
    body["scenes"][0]["AIModel"]["script"] += " [sandbox:drop]"
    one = local_worker.accept({"kind": "v2_project", "payload": body}, "e" * 32)
    local_worker.submit(one)
    assert local_worker.record(one)["state"] == "unconfirmed"
    project = finish(local_worker)
    hint(local_worker, one, progress=100.0, url=NOWHERE, project_id=project)
    record = local_worker.poll_until(one, "delivered")
    assert (record["project_id"], local_worker.exports()) == (project, 1)
    assert record["download_url"] == f"{local_worker.sandbox.url}/files/{project}.mp4"
    assert read_calls(local_worker) == {"editor/progress/{key}": 1}


def test_a_project_that_the_vendor_does_not_know_is_not_the_end_of_a_finished_render(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    body = example("v2-seed-minimal.json")
    body["scenes"][0]["AIModel"]["script"] += " [sandbox:drop]"
    one = local_worker.accept({"kind": "v2_project", "payload": body}, "f" * 32)
    local_worker.submit(one)
    project = finish(local_worker)
    hint(
        local_worker,
        one,
        progress=100.0,
        url=f"{local_worker.sandbox.url}/files/{project}.mp4",
        project_id="a-guess-that-is-wrong",
    )
    record = local_worker.poll_until(one, "delivered")
    assert record["download_url"] == f"{local_worker.sandbox.url}/files/{project}.mp4"


def test_a_call_that_came_before_the_lost_answer_saves_the_looking(new_local_worker):
    local_worker = new_local_worker(mode="direct")
    one = local_worker.accept(compact("Hello."), "9" * 32)
    claim = local_worker.claim(one)
    local_worker.record_intent(claim, "create")
    assert hint(local_worker, one, progress=0.0) == "submitting"
    local_worker.lapse(one)
    local_worker.submit(one)
    assert local_worker.record(one)["state"] == "rendering"
    assert "unconfirmed" not in local_worker.record(one)["times"]
