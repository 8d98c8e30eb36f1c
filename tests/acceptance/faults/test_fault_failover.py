"""The replica is promoted while renders are under way, and the workers' connections to the old primary stay open."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from celery import Celery
from redis import Redis

from harness import Valkey, until
from renderline.ledger import Ledger
from tests.acceptance.faults.loaded_system import LoadedSystem, loaded_system


def promote(system: LoadedSystem, replica: Valkey, client: Redis) -> None:
    """Fail over as an operator does who loses nothing: writes wait until the replica has them all."""
    old, new = system.redis, client
    old.client_pause(60_000, all=False)
    wanted = old.info("replication")["master_repl_offset"]
    until(lambda: new.info("replication")["master_repl_offset"] >= wanted, what="replica in step")
    system.proxy.redirect_to(replica.port)
    new.replicaof("NO", "ONE")
    old.replicaof("127.0.0.1", replica.port)
    old.client_unpause()
    system.redis, system.ledger = new, Ledger(new)
    system.producer = Celery("producer", broker=replica.url)


def test_workers_find_the_promoted_server_by_themselves(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with ExitStack() as parts:
        system = parts.enter_context(loaded_system(tmp_path, workers=2, proxied=True))
        replica = parts.enter_context(Valkey(second))
        client = parts.enter_context(Redis.from_url(replica.url, decode_responses=True))
        client.replicaof("127.0.0.1", system.valkey.port)
        until(lambda: client.info("replication").get("master_link_status") == "up", what="replica in step")
        ids = system.send((f"before-{number}" for number in range(20)), name="[sandbox:slow=4]")
        until(lambda: all(state == "rendering" for state in system.states(ids).values()), what="all rendering")
        promote(system, replica, client)
        ids += system.send(f"after-{number}" for number in range(10))
        system.wait_for(ids, seconds=120)
        system.check(ids)
        assert [worker.popen.poll() for worker in system.workers] == [None, None], "without a restart"
        assert not any("ReadOnlyError" in worker.output() for worker in system.workers)
