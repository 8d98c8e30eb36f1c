"""The list strategy: one call finds every finished render; without a usable list, each render is polled."""

import pytest
import requests

from harness.forked_sandbox import ForkedSandbox
from renderline.polling import project_list
from renderline.polling.project_list import ProjectList

REQUEST = {
    "kind": "project",
    "scenes": [{"script": "Hi.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}
LIST = "GET /api/odin/v3/editor/project"
PROGRESS = "GET /api/odin/v3/editor/progress/{key}"


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory):
    """A sandbox in which no render finishes by itself, however long a test takes."""
    options = ("--render-seconds", "86400", "--list", "all", "--samples", "off")
    process = ForkedSandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.log", *options)
    yield process
    process.stop()


def due_polls_of(local_worker, count):
    """Submit renders and return their due polls, with the ledger's clock at that moment."""
    for number in range(count):
        local_worker.accept(REQUEST, f"r{number}")
        local_worker.submitter.submit(f"r{number}")
    local_worker.redis.zadd("renderline:due:main", {f"r{number}": 1 for number in range(count)})
    ticket = int(local_worker.redis.hget("renderline:pump:main", "0:ticket"))
    batch = local_worker.ledger.claim_due_polls("main", slot=0, ticket=ticket, limit=64, lease=30)
    return batch.polls, batch.now


def complete(local_worker, one):
    project = next(each for each in local_worker.sandbox.projects() if one in each["name"])
    requests.post(
        f"{local_worker.sandbox.url}/_sandbox/complete", json={"id": project["id"]}, timeout=30
    ).raise_for_status()


def test_one_list_finds_the_finished_ones_and_the_others_wait(new_local_worker):
    local_worker = new_local_worker()
    due_polls, now = due_polls_of(local_worker, 6)
    complete(local_worker, "r2")
    complete(local_worker, "r4")
    before = local_worker.sandbox.counts()
    results, rest = ProjectList(local_worker.policy).poll(local_worker.accounts["main"], due_polls, now=now)
    after = local_worker.sandbox.counts()
    assert {result.id for result in results if result.status == "done"} == {"r2", "r4"}
    assert all(result.url for result in results if result.status == "done")
    assert {result.status for result in results} == {"done", "wait"}
    assert rest == []
    assert after[LIST] - before.get(LIST, 0) == 1
    assert after.get(PROGRESS, 0) == before.get(PROGRESS, 0)


def test_few_renders_are_asked_about_themselves(new_local_worker):
    local_worker = new_local_worker()
    due_polls, now = due_polls_of(local_worker, project_list.MIN_RENDERS - 1)
    assert ProjectList(local_worker.policy).poll(local_worker.accounts["main"], due_polls, now=now) == ([], due_polls)
    assert LIST not in local_worker.sandbox.counts()


def test_a_list_that_cannot_be_read_is_left_alone(new_local_worker):
    local_worker = new_local_worker()
    due_polls, now = due_polls_of(local_worker, 5)
    local_worker.sandbox.control("POST", "faults", call=LIST, fault="malformed")
    strategy = ProjectList(local_worker.policy)
    for _ in range(3):
        assert strategy.poll(local_worker.accounts["main"], due_polls, now=now) == ([], due_polls)
    assert local_worker.sandbox.counts()[LIST] == 1


def test_a_list_that_is_too_long_is_left_alone(new_local_worker, monkeypatch):
    monkeypatch.setattr(project_list, "MAX_PROJECTS", 4)
    local_worker = new_local_worker()
    due_polls, now = due_polls_of(local_worker, 5)
    strategy = ProjectList(local_worker.policy)
    for _ in range(3):
        assert strategy.poll(local_worker.accounts["main"], due_polls, now=now) == ([], due_polls)
    assert local_worker.sandbox.counts()[LIST] == 1


def test_past_its_deadline_and_every_fifth_time_a_render_is_asked_about_itself(new_local_worker):
    local_worker = new_local_worker()
    due_polls, _ = due_polls_of(local_worker, 5)
    late = max(due_poll.deadline_at for due_poll in due_polls)
    assert ProjectList(local_worker.policy).poll(local_worker.accounts["main"], due_polls, now=late)[1] == due_polls
    strategy = ProjectList(local_worker.policy)
    may = [strategy._may(type(due_polls[0])(**{**vars(due_polls[0]), "polls": polls}), 0.0) for polls in range(10)]
    assert may == [True] * 4 + [False] + [True] * 4 + [False]
