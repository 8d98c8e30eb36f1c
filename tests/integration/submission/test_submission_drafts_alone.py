"""A request with `export: false` leaves a draft at the vendor, and never a render."""

from __future__ import annotations

import pytest

from harness.samples import a_request, example
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.kinds import KINDS
from renderline.ledger import Commands
from renderline.submission.outcome import NotMyTurn, Submitted

MODES = ("two_phase", "direct")
KINDS_WITH_DRAFT = ("project", "edit", "template", "simple_video", "simple_custom")


def request_of(kind, worker):
    """Return a request of a kind that ends with a draft."""
    if kind == "edit":
        body = {**example("v3-create-project-1.6.json"), "name": "Base", "webhookUrl": None}
        updates = [{"sceneIdx": 0, "type": "aiModel", "values": {"script": "Changed."}}]
        made = worker.v3.create_project(body, export=False)
        return {"kind": "edit", "project_id": made, "updates": {"value": updates}, "export": False}
    return {
        "project": lambda: a_request(export=False),
        "template": lambda: {"kind": "template", "template_id": "65fa6b07dca2e367461a2925", "export": False},
        "simple_custom": lambda: {"kind": "simple_custom", **SPOKEN, "export": False},
        "simple_video": lambda: {"kind": "simple_video", "payload": {**SIMPLE, "isExport": False}},
    }[kind]()


SPOKEN = {"language": "en", "text": "Hello.", "model": "M000045058"}
SIMPLE = {**SPOKEN, "clothes": "BG00002320"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", KINDS_WITH_DRAFT)
def test_a_draft_alone_is_delivered_without_a_render(new_local_worker, kind, mode):
    worker = new_local_worker(mode=mode)
    worker.accept(request_of(kind, worker), "r1")
    assert isinstance(worker.submit("r1"), Submitted)
    record = worker.record("r1")
    assert (record["state"], record["progress"], record["error"]) == ("delivered", 100, None)
    assert (record["download_url"], record["credit"], record["polls"]) == (None, None, 0)
    (seen,) = worker.seen()
    assert (seen["id"], seen["exports"], seen["credits"]) == (record["project_id"], 0, 0)
    assert isinstance(worker.submit("r1"), NotMyTurn)


def test_a_draft_whose_answer_was_lost_is_adopted_or_made_again_and_never_exported(new_local_worker):
    worker = new_local_worker()
    worker.accept(a_request("Hello. [sandbox:drop@draft]", export=False), "0" * 32)
    record = worker.poll_until("0" * 32, "delivered", "failed")
    assert record["state"] == "delivered"
    drafts = [one for one in worker.seen() if not one["deleted"]]
    assert record["project_id"] in {one["id"] for one in drafts}
    assert worker.exports() == 0


def test_a_worker_that_died_after_the_draft_leaves_one_that_is_not_exported(new_local_worker):
    worker = new_local_worker()
    worker.accept(a_request(export=False), "0" * 32)
    claim = worker.claim("0" * 32)
    worker.record_intent(claim, "draft")
    KINDS["project"].plan("two_phase", at="draft")[0].call(worker.accounts["main"], worker.context(claim))
    worker.lapse("0" * 32)
    assert isinstance(worker.submit("0" * 32), Submitted)
    assert worker.record("0" * 32)["state"] == "delivered"
    assert worker.exports() == 0


def test_the_orphan_sweep_leaves_the_draft_that_was_wanted_and_deletes_the_lost_one(new_local_worker):
    worker, one = new_local_worker(), "0" * 32
    worker.accept(a_request(export=False), one)
    claim = worker.claim(one)
    worker.record_intent(claim, "draft")
    lost = worker.v3.create_project(worker.context(claim).vendor_body(), export=False)
    # Its worker died, and the list did not show the draft when the next one looked.
    worker.redis.hdel(f"renderline:render:{one}", "intent")
    worker.lapse(one)
    assert isinstance(worker.submit(one), Submitted)
    wanted = worker.record(one)["project_id"]
    worker.redis.zadd("renderline:orphan_drafts:main", {f"{one}.1#1": 1})
    OrphanSweep(worker.ledger, lease=30.0).run(worker.accounts["main"])
    assert {seen["id"]: seen["deleted"] for seen in worker.seen()} == {lost: True, wanted: False}


def test_a_version_without_drafts_finds_no_stage_to_call(new_local_worker):
    """In a rolling restart an older worker may claim it. That one looks the claim's stage up by its name."""
    worker = new_local_worker()
    worker.accept(a_request(export=False), "r1")
    names = [stage.name for stage in KINDS["project"].stages]
    assert worker.claim("r1").stage not in ("", *names)


def test_a_retried_draft_alone_is_no_render_either(new_local_worker):
    worker = new_local_worker()
    worker.accept(a_request(export=False), "r1")
    assert worker.ledger.fail("r1", code="c", message="m", origin="vendor")
    assert Commands(worker.ledger).retry("r1") == "due"
    assert worker.poll_until("r1", "delivered", "failed")["state"] == "delivered"
    assert worker.exports() == 0
