"""Uploads are removed when they are old and no unfinished render names them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from redis import Redis

from harness.documents import document
from harness.requests import record
from renderline.cleanup.old_uploads import OldUploads
from renderline.ledger import Ledger, unfinished_requests
from renderline.uploads import Reference, UploadStore

DAY = 86_400.0


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path.as_uri(), max_bytes=10**6)


@pytest.fixture
def sweep(ledger: Ledger, store: UploadStore) -> OldUploads:
    return OldUploads(ledger, store, retention=30 * DAY, every=0.001)


def put(store: UploadStore, tmp_path: Path, text: str, *, days: float, tenant: str = "default") -> Reference:
    reference = store.put("deck.pdf", iter([document("pdf", text)]), tenant=tenant).reference
    changed = time.time() - days * DAY
    os.utime(tmp_path / "tenants" / tenant / reference.sha256, (changed, changed))
    return reference


def left(store: UploadStore) -> set[tuple[str, str]]:
    return {(tenant, sha256) for tenant, sha256, _ in store.files()}


def accept(ledger: Ledger, one: str, *files: Reference, tenant: str = "default", state: str = "accepted") -> None:
    request = {"kind": "slides", "file": str(files[0]), "tenant": tenant}
    if len(files) > 1:
        request = {"kind": "document_video", "files": [str(file) for file in files], "tenant": tenant}
    record(ledger, one, request, account="main")
    if state == "failed":
        assert ledger.fail(one, code="c", message="m", origin="vendor")


def test_what_is_old_is_removed_of_every_tenant(sweep, store, tmp_path):
    put(store, tmp_path, "old", days=31)
    put(store, tmp_path, "old", days=31, tenant="acme")
    young = put(store, tmp_path, "young", days=29)
    assert sweep.run() == 2
    assert left(store) == {("default", young.sha256)}


def test_what_an_unfinished_render_names_stays_for_its_tenant(sweep, store, ledger, tmp_path):
    named, other = (put(store, tmp_path, text, days=31) for text in ("one", "two"))
    foreign = put(store, tmp_path, "one", days=31, tenant="acme")
    failed = put(store, tmp_path, "three", days=31)
    accept(ledger, "a" * 32, named)
    accept(ledger, "b" * 32, failed, state="failed")
    assert sweep.run() == 3
    assert left(store) == {("default", named.sha256)}
    assert foreign.sha256 == named.sha256
    assert other.sha256 not in str(left(store))


def test_a_file_that_is_uploaded_again_is_young_again(sweep, store, tmp_path):
    put(store, tmp_path, "one", days=31)
    store.put("deck.pdf", iter([document("pdf", "one")]), tenant="default")
    assert sweep.run() == 0


def test_one_worker_does_it_in_a_period(ledger, store, tmp_path):
    put(store, tmp_path, "old", days=31)
    first, second = (OldUploads(ledger, store, retention=DAY, every=60.0) for _ in range(2))
    assert first.run() == 1
    put(store, tmp_path, "old", days=31)
    assert second.run() == 0
    assert 0 < ledger.redis.pttl(ledger.keys.old_uploads) <= 60_000


def test_a_storage_that_does_not_answer_costs_nothing(ledger, tmp_path):
    (tmp_path / "tenants").write_text("no folder")
    assert OldUploads(ledger, UploadStore(tmp_path.as_uri(), max_bytes=10), retention=1.0, every=0.001).run() == 0


def test_a_list_of_files_counts_as_each(sweep, store, ledger, tmp_path):
    files = [put(store, tmp_path, text, days=31) for text in ("one", "two")]
    accept(ledger, "a" * 32, *files)
    assert sweep.run() == 0
    assert [one.kind for one in unfinished_requests(ledger, {"document_video"})] == ["document_video"]
