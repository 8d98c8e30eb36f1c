"""A gateway process for the tests of a module, and the ledger beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from harness import Valkey
from harness.gateway import ForkedGateway
from renderline.ledger import Ledger


@pytest.fixture(scope="module")
def gateway_options() -> dict[str, Any]:
    """Settings of the module's gateway; a module may have its own."""
    return {}


@pytest.fixture(scope="module")
def gateway(
    valkey: Valkey, gateway_options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForkedGateway]:
    """One gateway for the tests of a module; no request may make it log a traceback."""
    log = tmp_path_factory.mktemp("gateway") / "gateway.log"
    process = ForkedGateway(log, **{"REDIS_URL": valkey.url, **gateway_options})
    yield process
    process.stop()
    assert "Traceback" not in process.output()


@pytest.fixture(scope="module")
def own_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey that the tests of a module may kill."""
    with Valkey(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture
def ledger(redis: Redis) -> Ledger:
    return Ledger(redis)
