"""A project that the vendor generated has cost something: no failure deletes it, and a retry uses it again."""

from __future__ import annotations

import pytest

from harness.recorded_dispatcher import RecordedDispatcher
from renderline.cleanup.orphan_drafts import OrphanSweep
from renderline.kinds import KINDS
from renderline.operations import Operations
from renderline.tenants import COMMAND_LINE


def topic(tag: str) -> dict[str, object]:
    return {"kind": "topic_video", "topic": f"Parrots {tag}"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if any(stage.poll for stage in kind.stages)])
def test_no_kind_owns_a_project_whose_making_costs(kind):
    assert not kind.owns_project


def test_a_refused_export_leaves_the_generated_project_and_a_retry_exports_it(new_local_worker):
    worker, one = new_local_worker(), "0" * 32
    worker.accept(topic("[sandbox:refuse*1@export]"), one)
    record = worker.poll_until(one, "failed", "delivered", "expired")
    assert (record["state"], record["stage"]) == ("failed", "export"), record["error"]
    (project,) = [made for made in worker.seen() if made["id"] == record["project_id"]]
    assert not project["deleted"]

    worker.ledger.redis.zadd(worker.ledger.keys.orphan_drafts("main"), {f"{one}.1#1": 0})
    OrphanSweep(worker.ledger, lease=30.0).run(worker.accounts["main"])
    (project,) = [made for made in worker.seen() if made["id"] == record["project_id"]]
    assert not project["deleted"]

    operations = Operations(worker.ledger, RecordedDispatcher(), ["main"])
    operations.retry(one, actor=COMMAND_LINE)
    again = worker.poll_until(one, "failed", "delivered", "expired")
    assert (again["state"], again["project_id"]) == ("delivered", project["id"])
    started = worker.sandbox.control("GET", "charges")["started"]
    assert (started["generation"], started["export"]) == (1, 1)
