"""A paid call leaves only when the replicas that may be promoted have its announcement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from harness import Valkey, until
from harness.fake_vendor import FakeVendor
from renderline.retry import RetryIn
from renderline.submission.outcome import Submitted
from tests.acceptance.faults.power_cuts import accept, submitter_of


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[Redis]:
    with _server(tmp_path / "primary") as one, Redis.from_url(one.url, decode_responses=True) as redis:
        yield redis


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Redis]:
    with _server(tmp_path / "replica") as one, Redis.from_url(one.url, decode_responses=True) as redis:
        yield redis


def _server(directory: Path) -> Valkey:
    directory.mkdir()
    return Valkey(directory, "--repl-diskless-sync-delay", "0")


def _follow(replica: Redis, primary: Redis) -> None:
    replica.replicaof("127.0.0.1", primary.get_connection_kwargs()["port"])
    until(lambda: replica.info("replication").get("master_link_status") == "up", what="a replica in step")


def test_nothing_is_exported_before_a_replica_has_its_announcement(primary: Redis, replica: Redis) -> None:
    with FakeVendor() as vendor, submitter_of(primary, vendor, clock=None) as submitter:
        submitter = replace(submitter, replicas=1)
        accept(submitter.ledger, "r1")
        early = submitter.submit("r1")
        assert isinstance(early, RetryIn)
        assert "0 of 1 replicas" in early.why
        assert (vendor.calls["draft"], vendor.calls["export"]) == (1, 0)
        _follow(replica, primary)
        # Nothing was sent, so there is nothing to be settled: the same draft is exported later.
        assert isinstance(submitter.submit("r1"), Submitted)
        assert (vendor.calls["draft"], vendor.exports_of("r1")) == (1, 1)


def test_a_primary_that_was_replaced_pays_for_nothing(primary: Redis, replica: Redis) -> None:
    _follow(replica, primary)
    with FakeVendor() as vendor, submitter_of(primary, vendor, clock=None) as submitter:
        submitter = replace(submitter, replicas=1)
        accept(submitter.ledger, "r1")
        # As Sentinels do while the primary is frozen: it goes on and does not know it.
        replica.replicaof("NO", "ONE")
        assert primary.info("replication")["role"] == "master"
        assert isinstance(submitter.submit("r1"), RetryIn)
        assert vendor.calls["export"] == 0
