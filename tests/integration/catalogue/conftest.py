"""Lists of a vendor whose answers the test chooses, cached in a real Valkey."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from redis import Redis

from harness.fake_vendor import FakeVendor
from harness.local_worker import LocalWorker, local_workers
from harness.pick_lists import Lists
from renderline.catalogue import CatalogueStore, Refresher
from renderline.catalogue.runner import CatalogueRunner


@pytest.fixture
def lists(vendor: FakeVendor) -> Lists:
    return Lists(vendor)


@pytest.fixture
def worker(redis: Redis, vendor: FakeVendor) -> Iterator[LocalWorker]:
    with local_workers(redis, vendor) as new:
        yield new()


@pytest.fixture
def now() -> list[float]:
    """The time of the Redis server."""
    return [1_000_000.0]


@pytest.fixture
def new_store(redis: Redis, now: list[float]) -> Callable[[], CatalogueStore]:
    return lambda: CatalogueStore(redis, clock=lambda: now[0], lifetime=3600.0)


@pytest.fixture
def store(new_store: Callable[[], CatalogueStore]) -> CatalogueStore:
    return new_store()


@pytest.fixture
def refresher(store: CatalogueStore, worker: LocalWorker, lists: Lists) -> Refresher:
    return Refresher(store, worker.accounts)


@pytest.fixture
def runner(refresher: Refresher) -> CatalogueRunner:
    return CatalogueRunner(refresher)
