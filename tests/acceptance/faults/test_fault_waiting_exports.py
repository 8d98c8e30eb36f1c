"""Paid calls that wait for the ledger's disk, in real workers: no thread is held, and a stopping worker makes them."""

from __future__ import annotations

import signal
from pathlib import Path

from celery import Celery
from redis import Redis

from harness import USER_KEY, Valkey, Worker, until
from harness.fake_vendor import FakeVendor
from renderline.ledger import Ledger
from renderline.producer import enqueue_renders

RENDERS = 12


def environ(valkey: Valkey, vendor: FakeVendor) -> dict[str, str]:
    return {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_BASE_URL": vendor.url,
        "AISTUDIOS_APP_ID": "a",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "RENDERLINE_WORKER_CONCURRENCY": "2",
        "RENDERLINE_POLL_MIN": "0.2",
        "RENDERLINE_WAIT_FOR_DISK": "always",
    }


def orders() -> list[dict[str, object]]:
    scene = {
        "script": "Hello.",
        "avatar": {"model": "M000045058", "clothes": "BG00002320", "language": "en"},
        "background": {"image": "/images/background/bg_blue_gradient.png"},
    }
    return [{"kind": "project", "name": f"order {number}", "scenes": [scene]} for number in range(RENDERS)]


def test_calls_that_wait_for_the_disk_hold_no_thread_and_leave_before_the_worker_does(tmp_path: Path) -> None:
    with Valkey(tmp_path) as valkey, FakeVendor(render_seconds=0.1) as vendor:
        drafts_at_first_export: list[int] = []

        def override(call):  # type: ignore[no-untyped-def]
            if call.name == "export" and not drafts_at_first_export:
                drafts_at_first_export.append(vendor.calls["draft"])

        vendor.override = override
        worker = Worker(tmp_path / "worker.log", queues="requests,submit,poll,hooks", environ=environ(valkey, vendor))
        try:
            worker.wait_ready()
            with Celery("producer", broker=valkey.url) as app:
                ids = enqueue_renders(app, orders())
            until(lambda: vendor.calls["draft"] >= RENDERS, what="the drafts")
            worker.popen.send_signal(signal.SIGTERM)
            assert worker.popen.wait(60) == 0
        finally:
            worker.kill()
        assert [vendor.exports_of(one) for one in ids] == [1] * RENDERS
        # Two threads, and more than two announced calls that waited.
        assert drafts_at_first_export[0] > 2
        with Redis(port=valkey.port, decode_responses=True) as redis:
            states = {record["state"] for record in Ledger(redis).records(ids) if record}
        assert states <= {"rendering", "completed", "delivered"}
