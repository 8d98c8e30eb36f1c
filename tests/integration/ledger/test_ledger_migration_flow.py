"""Renders of a migrated ledger go on to their end, with a worker and a vendor: each is paid for once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import Schema
from redis import Redis

from harness.fake_vendor import FakeVendor, VendorProject
from harness.ledger import GRACE, LEASE
from harness.local_worker import LocalWorker, local_workers
from harness.recorded_dispatcher import RecordedDispatcher
from renderline.hooks import Delivery
from renderline.hooks.delivery import Deliverer
from renderline.ledger import Commands
from renderline.ledger.migration import Migration
from renderline.retry import HookRetryPolicy
from tests.integration.ledger.old_ledger import BODY, DUMP, load

STARTED = ("rendering", "claimed", "told", "unconfirmed", "drafted", "hinted")
"""Renders whose paid call was made under schema 1, whether or not the ledger knows."""
FRESH = ("accepted", "retried", "parked", "revoked", *(f"busy-{number}" for number in range(10)))
RETRIED = ("failed", "expired")
HOOKED = ("completed", "running", "retrying", "host", "anywhere", "undelivered")


class Hook:
    """A hook kind that keeps what it delivered."""

    type = "http"
    schema = Schema()

    def __init__(self) -> None:
        self.delivered: list[str] = []

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        return True

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        return None

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        self.delivered.append(delivery.webhook_id)
        return {}


@pytest.fixture
def vendor() -> Iterator[FakeVendor]:
    """The vendor as schema 1 left it: renders that run, a draft that is to be revoked, and one of a lost answer."""
    with FakeVendor(render_seconds=0.2) as vendor:
        for one in STARTED:
            project = VendorProject(f"p-{one}", f"Render {one} [{one}]", {}, time.monotonic(), exports=1)
            vendor.projects[project.id] = project
        for one in ("announced", "revoking"):
            vendor.projects[f"p-{one}"] = VendorProject(f"p-{one}", f"Render {one} [{one}]", {})
        yield vendor


@pytest.fixture
def worker(redis: Redis, vendor: FakeVendor) -> Iterator[LocalWorker]:
    """A worker on the migrated ledger, a minute after its dump: all leases of the old workers have ended."""
    load(redis)
    for one in DUMP["states"]:
        redis.set(f"renderline:body:{one}", BODY)
    Migration(redis).run()
    begun = time.monotonic()
    with local_workers(redis, vendor) as new:
        worker = new(clock=lambda: DUMP["now"] + 2 * GRACE + time.monotonic() - begun)
        main = worker.accounts["main"]
        worker.accounts.update({name: replace(main, name=name) for name in ("busy", "paused")})
        yield worker
    redis.flushall()


def test_renders_that_schema_1_had_begun_are_rendered_and_paid_for_once(worker, vendor):
    operations = Commands(worker.ledger)
    assert all(operations.retry(one) for one in RETRIED)
    assert operations.resume("paused")
    assert ("parked", "normal") in worker.limits.unpark()
    ids = (*STARTED, *FRESH, *RETRIED, "announced", "revoking")
    worker.run_all(ids, seconds=60.0)
    assert {one: worker.record(one)["state"] for one in ids} == dict.fromkeys(ids, "delivered")
    assert {one: vendor.exports_of(one) for one in ids} == dict.fromkeys(ids, 1)
    assert {one: worker.record(one)["project_id"] for one in (*STARTED, "announced")} == {
        one: f"p-{one}" for one in (*STARTED, "announced")
    }
    assert vendor.projects["p-revoking"].deleted
    assert worker.record("retried")["attempt"] == 2
    assert not {one for one, _, _ in worker.ledger.stalled()} & set(ids), "the sweep has nothing to send again"


def test_hooks_that_schema_1_owed_are_delivered_once(worker):
    assert Commands(worker.ledger).replay("undelivered", 0)
    hook = Hook()
    retries = HookRetryPolicy(attempts=3)
    deliverer = Deliverer(worker.ledger, RecordedDispatcher(), {"http": hook}, retries=retries, lease=LEASE)
    taken = worker.ledger.take_hooks(10).hooks
    sent = {*taken, *worker.ledger.queue_hooks([one for one in HOOKED if one not in dict(taken)])}
    assert sent == {(one, 0) for one in HOOKED}
    for one, index in [*sent, *sent]:
        deliverer.deliver(one, index)
    assert sorted(hook.delivered) == sorted(f"msg_{one}_1_0" for one in HOOKED)
    assert {worker.record(one)["state"] for one in HOOKED} == {"delivered"}
