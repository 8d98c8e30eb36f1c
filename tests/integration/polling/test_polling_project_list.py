"""The list strategy: one call finds every finished render, and steps aside where it cannot."""

import pytest
import requests

from harness import SandboxProcess
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
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox") / "sandbox.log", "--render-seconds", "86400")
    yield process
    process.stop()


def looks_of(stage, count):
    """Submit renders and return their due looks, with the ledger's clock at that moment."""
    for number in range(count):
        stage.accept(REQUEST, f"r{number}")
        stage.submitter.submit(f"r{number}")
    stage.redis.zadd("renderline:due:main", {f"r{number}": 1 for number in range(count)})
    ticket = int(stage.redis.hget("renderline:pump:main", "0:ticket"))
    batch = stage.ledger.claim_due("main", slot=0, ticket=ticket, limit=64, lease=30)
    return batch.looks, batch.now


def complete(stage, one):
    project = next(each for each in stage.sandbox.projects() if one in each["name"])
    requests.post(f"{stage.sandbox.url}/_sandbox/complete", json={"id": project["id"]}, timeout=30).raise_for_status()


def test_one_list_finds_the_finished_ones_and_the_others_wait(new_stage):
    stage = new_stage()
    looks, now = looks_of(stage, 6)
    complete(stage, "r2")
    complete(stage, "r4")
    before = stage.sandbox.counts()
    findings, rest = ProjectList(stage.policy).poll(stage.accounts["main"], looks, now=now)
    after = stage.sandbox.counts()
    assert {finding.id for finding in findings if finding.verdict == "done"} == {"r2", "r4"}
    assert all(finding.url for finding in findings if finding.verdict == "done")
    assert {finding.verdict for finding in findings} == {"done", "wait"}
    assert rest == []
    assert after[LIST] - before.get(LIST, 0) == 1
    assert after.get(PROGRESS, 0) == before.get(PROGRESS, 0)


def test_few_renders_are_asked_about_themselves(new_stage):
    stage = new_stage()
    looks, now = looks_of(stage, project_list.MIN_RENDERS - 1)
    assert ProjectList(stage.policy).poll(stage.accounts["main"], looks, now=now) == ([], looks)
    assert LIST not in stage.sandbox.counts()


def test_a_list_that_cannot_be_read_is_left_alone(new_stage):
    stage = new_stage()
    looks, now = looks_of(stage, 5)
    stage.sandbox.control("POST", "faults", call=LIST, fault="malformed")
    strategy = ProjectList(stage.policy)
    for _ in range(3):
        assert strategy.poll(stage.accounts["main"], looks, now=now) == ([], looks)
    assert stage.sandbox.counts()[LIST] == 1


def test_a_list_that_is_too_long_is_left_alone(new_stage, monkeypatch):
    monkeypatch.setattr(project_list, "MAX_PROJECTS", 4)
    stage = new_stage()
    looks, now = looks_of(stage, 5)
    strategy = ProjectList(stage.policy)
    for _ in range(3):
        assert strategy.poll(stage.accounts["main"], looks, now=now) == ([], looks)
    assert stage.sandbox.counts()[LIST] == 1


def test_past_its_deadline_and_every_fifth_time_a_render_is_asked_about_itself(new_stage):
    stage = new_stage()
    looks, _ = looks_of(stage, 5)
    late = max(look.deadline_at for look in looks)
    assert ProjectList(stage.policy).poll(stage.accounts["main"], looks, now=late)[1] == looks
    strategy = ProjectList(stage.policy)
    may = [strategy._may(type(looks[0])(**{**vars(looks[0]), "polls": polls}), 0.0) for polls in range(10)]
    assert may == [True] * 4 + [False] + [True] * 4 + [False]
