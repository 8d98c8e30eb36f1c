"""The replica is promoted while renders are under way, and the workers' connections to the old primary stay open."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from celery import Celery
from redis import Redis

from harness import Valkey, until
from renderline.ledger import Ledger
from tests.acceptance.faults.crowd import Crowd, a_crowd


def promote(crowd: Crowd, replica: Valkey, client: Redis) -> None:
    """Fail over as an operator does who loses nothing: writes wait until the replica has them all."""
    old, new = crowd.redis, client
    old.client_pause(60_000, all=False)
    wanted = old.info("replication")["master_repl_offset"]
    until(lambda: new.info("replication")["master_repl_offset"] >= wanted, what="replica in step")
    crowd.line.lead_to(replica.port)
    new.replicaof("NO", "ONE")
    old.replicaof("127.0.0.1", replica.port)
    old.client_unpause()
    crowd.redis, crowd.ledger = new, Ledger(new)
    crowd.producer = Celery("producer", broker=replica.url)


def test_workers_find_the_promoted_server_by_themselves(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with ExitStack() as parts:
        crowd = parts.enter_context(a_crowd(tmp_path, workers=2))
        replica = parts.enter_context(Valkey(second))
        client = parts.enter_context(Redis.from_url(replica.url, decode_responses=True))
        client.replicaof("127.0.0.1", crowd.valkey.port)
        until(lambda: client.info("replication").get("master_link_status") == "up", what="replica in step")
        ids = crowd.send((f"before-{number}" for number in range(20)), name="[sandbox:slow=4]")
        until(lambda: all(state == "rendering" for state in crowd.states(ids).values()), what="all rendering")
        promote(crowd, replica, client)
        ids += crowd.send(f"after-{number}" for number in range(10))
        crowd.wait_for(ids, seconds=120)
        crowd.check(ids)
        assert [worker.popen.poll() for worker in crowd.workers] == [None, None], "without a restart"
        assert not any("ReadOnlyError" in worker.output() for worker in crowd.workers)
