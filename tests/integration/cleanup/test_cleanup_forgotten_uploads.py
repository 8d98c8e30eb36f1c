"""The upload that a forgotten render named is removed, unless somebody may be about to name it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from harness.documents import document
from harness.ledger import LedgerDriver
from renderline.cleanup.forgotten import ForgottenFiles
from renderline.ledger.forgetting import Forgetting
from renderline.uploads import Reference, UploadStore


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    return UploadStore(f"file://{tmp_path}", max_bytes=1_000_000)


@pytest.fixture
def forgotten(driver: LedgerDriver, store: UploadStore) -> Reference:
    """A forgotten render that had an upload, of a minute before it was accepted."""
    reference = store.put("deck.pptx", [document("pptx", "one")], tenant="default").reference
    driver.accept()
    driver.ledger.fail("r1", code="bad", message="bad", origin="caller")
    record: Any = driver.ledger.record("r1")
    assert Forgetting(driver.ledger).forget(record, projects=False, uploads=[reference.sha256]).status == "done"
    uploaded_at(driver, store, reference, -60.0)
    return reference


def uploaded_at(driver: LedgerDriver, store: UploadStore, reference: Reference, seconds: float) -> None:
    """Have the file be stored so many seconds after now."""
    at = driver.clock() + seconds
    os.utime(Path(store._root.url.removeprefix("file://")) / "tenants/default" / reference.sha256, (at, at))


def files(driver: LedgerDriver, store: UploadStore) -> ForgottenFiles:
    return ForgottenFiles(driver.ledger, None, store, clock=driver.clock)  # type: ignore[arg-type]


def test_it_goes_with_the_render(driver, store, forgotten):
    assert files(driver, store).run() == 1
    assert not store.has(forgotten, tenant="default")
    assert Forgetting(driver.ledger).things("r1") == []


def test_one_that_was_uploaded_again_waits_an_hour_for_the_render_that_will_name_it(driver, store, forgotten):
    uploaded_at(driver, store, forgotten, 5.0)
    driver.clock.forward(10.0)
    assert files(driver, store).run() == 1
    assert store.has(forgotten, tenant="default")
    assert Forgetting(driver.ledger).things("r1") == [f"upload {forgotten.sha256}"]
    driver.clock.forward(3700.0)
    assert files(driver, store).run() == 1
    assert not store.has(forgotten, tenant="default")
