"""A vendor that answers with another render's project, and a worker that wakes up after its draft was delivered."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from harness.fake_vendor import Call, success
from harness.local_worker import local_workers
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.submission.outcome import NotMyTurn, Submitted

RENDER_SECONDS = 0.2
REQUEST = {
    "kind": "project",
    "name": "Welcome",
    "scenes": [{"script": "Hello.", "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"}}],
}
RENDERS = [f"{index:032x}" for index in range(1, 5)]
ENDS = ("delivered", "failed", "expired")


@pytest.fixture
def new_local_worker(redis, vendor):
    with local_workers(redis, vendor) as new:
        yield new


def answers_the_first(name):
    """Carry the call out, and answer the project that was made first."""

    def override(call: Call):
        if call.name != name:
            return None
        call.answer()
        return success({"projectId": min(call.vendor.projects)})

    return override


def delivered(local_worker):
    """Return the projects of the renders once all have been delivered."""
    for one in RENDERS:
        local_worker.accept(REQUEST, one, deadline=60.0)
        local_worker.submit(one)
    records = [local_worker.poll_until(one, *ENDS) for one in RENDERS]
    assert [record["state"] for record in records] == ["delivered"] * 4, [record["error"] for record in records]
    assert len({record["download_url"] for record in records}) == 4
    return [record["project_id"] for record in records]


def own(vendor, projects):
    """Return whether each render has the project that carries its name, exported once."""
    named = [one for one, project in zip(RENDERS, projects, strict=True) if one in vendor.projects[project].name]
    return named == RENDERS and [vendor.exports_of(one) for one in RENDERS] == [1] * 4


def test_an_export_that_answers_another_project_does_not_deliver_its_video(new_local_worker, vendor):
    vendor.override = answers_the_first("export")
    assert own(vendor, delivered(new_local_worker()))


def test_an_export_that_answers_a_project_of_nobody_does_not_deliver_its_video(new_local_worker, vendor):
    """No record owns it, so that the ledger cannot tell: somebody else made it with the same account."""
    local_worker = new_local_worker()
    strangers = local_worker.v3.create_project({"name": "Made by hand"}, export=True)

    def override(call: Call):
        if call.name != "export":
            return None
        call.answer()
        return success({"projectId": strangers})

    vendor.override = override
    assert own(vendor, delivered(local_worker))


def test_a_draft_call_that_answers_another_renders_project_does_not_export_that(new_local_worker, vendor):
    vendor.override = answers_the_first("draft")
    assert own(vendor, delivered(new_local_worker()))


def test_a_direct_call_that_answers_another_renders_project_does_not_deliver_its_video(new_local_worker, vendor):
    vendor.override = answers_the_first("draft")
    assert own(vendor, delivered(new_local_worker(mode="direct")))


def test_what_is_forgotten_owns_nothing(new_local_worker, vendor):
    local_worker = new_local_worker()
    delivered(local_worker)
    assert local_worker.redis.hlen("renderline:project_owners:main") == 4
    local_worker.redis.zremrangebyscore("renderline:resend", "-inf", "+inf")
    assert local_worker.ledger.forget(retention=-10.0) == 4
    assert local_worker.redis.hlen("renderline:project_owners:main") == 0


def test_a_retry_is_not_answered_with_the_project_of_the_attempt_before(new_local_worker):
    local_worker = new_local_worker()
    one = local_worker.accept(REQUEST, RENDERS[0])
    claim = local_worker.claim(one)
    assert local_worker.ledger.advance(claim, stage="export", project_id="p1", made=True)
    assert local_worker.ledger.advance(claim, stage="export", project_id="p1", made=True)
    later = dataclasses.replace(claim)
    local_worker.redis.hincrby(f"renderline:render:{one}", "attempt", 1)
    with pytest.raises(ValueError, match="belongs to another render"):
        local_worker.ledger.advance(later, stage="export", project_id="p1", made=True)


def test_a_thawed_worker_does_not_delete_what_was_delivered(new_local_worker, vendor):
    """Its draft call was answered late: the draft had been adopted, exported and delivered meanwhile."""
    local_worker, one = new_local_worker(), RENDERS[0]
    made, thaw = threading.Event(), threading.Event()

    def hold_the_first_answer(call: Call):
        if call.name != "draft" or made.is_set():
            return None
        answer = call.answer()
        made.set()
        assert thaw.wait(60)
        return answer

    vendor.override = hold_the_first_answer
    local_worker.accept(REQUEST, one)
    outcomes = []
    frozen = threading.Thread(target=lambda: outcomes.append(local_worker.submitter.submit(one)))
    frozen.start()
    assert made.wait(60)
    local_worker.lapse(one)
    assert isinstance(local_worker.submit(one), Submitted)
    record = local_worker.poll_until(one, *ENDS)
    assert record["state"] == "delivered"
    thaw.set()
    frozen.join(60)
    assert outcomes == [NotMyTurn()]
    sweep_orphans(local_worker)
    assert (vendor.calls["delete"], vendor.projects[record["project_id"]].deleted) == (0, False)


def sweep_orphans(local_worker):
    """Look for orphans as if their time had come."""
    for member in local_worker.redis.zrange("renderline:orphan_drafts:main", 0, -1):
        local_worker.redis.zadd("renderline:orphan_drafts:main", {member: 1})
    OrphanSweep(local_worker.ledger, lease=5.0).run(local_worker.accounts["main"])
    assert local_worker.redis.zcard("renderline:orphan_drafts:main") == 0
