"""Redis is killed, frozen, cut off or full while renders are at every step: nothing accepted is lost or paid twice."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import kombu
import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from harness import Valkey, free_port, until
from harness.fork_server import shared
from renderline import contract
from tests.acceptance.faults.crashes import lists_of
from tests.acceptance.faults.loaded_system import LoadedSystem, loaded_system
from workers.repairs.transport import transport_class

AWAY = 12.0
"""Seconds for which Redis is away: longer than the time limit of the ledger's calls. By hand it was tried with 60."""
CAUGHT_UP = 90.0
"""Seconds that reconnecting (Celery waits 2 s longer each time), leases and the backlog may take on a busy machine."""

JUST_SENT = [f"just-sent-{number}" for number in range(10)]
"""Requests on their way to the ledger: nothing is promised for them yet, and their producers repeat them afterwards."""


@contextmanager
def held_at_every_step(system: LoadedSystem) -> Iterator[list[str]]:
    """Bring renders to every step, held there from outside: drafts, exports, polls and a hook under way.

    Left, what was held goes on.
    """
    hooked, answer = threading.Event(), threading.Event()

    def hold(body: dict[str, Any]) -> int:
        if body["data"]["name"] == "at its hook":
            hooked.set()
            answer.wait(60)
        return 204

    system.hook_endpoint.answer = hold
    ids = system.send((f"rendering-{number}" for number in range(5)), name="[sandbox:slow=4]")
    ids += system.send(["hook"], name="at its hook")
    assert hooked.wait(60)
    calls = {"draft": "POST /api/odin/v3/editor/project", "export": "POST /api/odin/v3/editor/project/export"}
    for stage, call in calls.items():
        system.sandbox.control("POST", "faults", call=call, fault="hold", name=f"at its {stage}", times=2)
        ids += system.send((f"{stage}-{number}" for number in range(2)), name=f"at its {stage}")
    until(lambda: len(system.sandbox.control("GET", "held")) == 4, what="drafts and exports held")
    ids += system.send(JUST_SENT)
    yield ids
    system.sandbox.control("POST", "release")
    answer.set()


@contextmanager
def frozen(system: LoadedSystem) -> Iterator[None]:
    """Redis does not answer, and its connections stand."""
    system.server.signal(signal.SIGSTOP)
    yield
    system.server.signal(signal.SIGCONT)


@contextmanager
def cut_off(system: LoadedSystem) -> Iterator[None]:
    """Redis cannot be reached: its connections break, new ones are refused."""
    system.proxy.cut()
    yield
    system.proxy.mend()


def killed_and_started_again(directory: Path, appendfsync: str) -> None:
    """Also with `everysec`: what the process wrote survives it. Only a machine that fails loses the last second."""
    with loaded_system(directory, "--appendfsync", appendfsync) as system:
        keys = [f"first-{number}" for number in range(20)]
        with held_at_every_step(system) as ids:
            ids += system.send(keys)
            until(lambda: len(system.accepted(ids)) >= 20, what="accepted")
            accepted = system.accepted(ids)
            system.server.kill()
            system.valkey.start()

        assert system.accepted(accepted) == accepted
        # Their producers got no answer for the others, and repeat them under the same keys.
        system.send([*JUST_SENT, *keys])
        ids += system.send(f"second-{number}" for number in range(10))
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert system.alive()


def away(directory: Path, how: Callable[[LoadedSystem], AbstractContextManager[None]]) -> None:
    with loaded_system(directory, proxied=how is cut_off) as system:
        steps = held_at_every_step(system)
        ids = steps.__enter__()
        with how(system):
            # The vendor's and the hook endpoint's answers come now, and nobody can write them down.
            steps.__exit__(None, None, None)
            time.sleep(AWAY)
        system.send(JUST_SENT)
        ids += system.send(f"later-{number}" for number in range(5))
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert system.alive()


def lines_that_break_again_and_again(directory: Path) -> None:
    keys = [f"{round_}-{number}" for round_ in range(5) for number in range(6)]
    with loaded_system(directory, proxied=True) as system:
        ids: list[str] = []
        for round_ in range(5):
            ids += system.send(keys[6 * round_ : 6 * round_ + 6])
            time.sleep(0.5)
            system.proxy.cut(close=False)
        system.wait_for(system.accepted(ids), seconds=CAUGHT_UP)
        # A line that breaks while a message of the door is on its way loses the message: its producer repeats it.
        system.send(keys)
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert system.alive()


def a_worker_killed_while_redis_is_frozen(directory: Path) -> None:
    with loaded_system(directory, workers=1) as system:
        with held_at_every_step(system) as ids:
            system.server.signal(signal.SIGSTOP)
        system.workers.pop().kill()
        system.server.signal(signal.SIGCONT)
        system.start()
        system.send(JUST_SENT)
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)


def full(directory: Path) -> None:
    with loaded_system(directory) as system:
        with held_at_every_step(system) as ids:
            until(lambda: len(system.accepted(ids)) == len(ids), what="accepted")
            system.redis.config_set("maxmemory", "1mb")
        with pytest.raises(OperationalError, match="not allowed when used memory > 'maxmemory'"):
            system.send(["refused"])
        time.sleep(3)
        assert system.accepted(ids) == set(ids)
        system.redis.config_set("maxmemory", "0")
        ids += system.send(["refused"])
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert system.alive()


def every_message_delivered_three_times(directory: Path) -> None:
    with loaded_system(directory, workers=0) as system:
        ids = system.send(f"thrice-{number}" for number in range(5))
        for queue in contract.QUEUES:
            keys = lists_of(queue)
            until(lambda keys=keys: any(map(system.redis.llen, keys)), what=f"messages in {queue}")
            for key in keys:
                for message in system.redis.lrange(key, 0, -1):
                    system.redis.lpush(key, message, message)
            system.start(queues=queue)
            until(lambda keys=keys: not any(map(system.redis.llen, keys)), what=f"{queue} empty")
        system.wait_for(ids, seconds=CAUGHT_UP)
        system.check(ids)
        assert len(system.hook_endpoint.bodies) == len(ids)


SCENARIOS: dict[str, Callable[[Path], None]] = {
    "killed with appendfsync always": partial(killed_and_started_again, appendfsync="always"),
    "killed with appendfsync everysec": partial(killed_and_started_again, appendfsync="everysec"),
    "frozen": partial(away, how=frozen),
    "out of reach": partial(away, how=cut_off),
    "lines that break again and again": lines_that_break_again_and_again,
    "a worker killed while frozen": a_worker_killed_while_redis_is_frozen,
    "full": full,
    "every message delivered three times": every_message_delivered_three_times,
}


LONG = {"killed with appendfsync always"}
"""What promises less than another one: `everysec` keeps what a killed server wrote, and writes less often."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.chaos] if name in LONG else []) for name in SCENARIOS]
)
def test_redis_fault_costs_only_time(scenarios: dict[str, Future[None]], name: str) -> None:
    scenarios[name].result()


REFUSED = {
    "allkeys-lru": (
        ("--maxmemory-policy", "allkeys-lru"),
        "its maxmemory-policy is allkeys-lru, which evicts renders when memory is short; set it to noeviction",
    ),
    "cluster": (
        ("--cluster-enabled", "yes"),
        "it is a part of a Redis Cluster, where one step of the ledger cannot change keys of several parts; use one "
        "server, or Sentinels",
    ),
}


@pytest.mark.parametrize(("options", "why"), REFUSED.values(), ids=REFUSED)
def test_a_redis_that_cannot_hold_renders_is_refused(tmp_path: Path, options: tuple[str, ...], why: str) -> None:
    # The port for the other parts of a cluster would be in the range of outgoing connections.
    bus = ("--cluster-port", str(free_port())) if "--cluster-enabled" in options else ()
    with Valkey(tmp_path, *options, *bus) as valkey:
        environ = {"REDIS_URL": valkey.url, "AISTUDIOS_APP_ID": "studioV3.tests", "AISTUDIOS_USER_KEY": "x" * 36}
        worker = shared().start("submit", tmp_path / "worker.log", environ=environ)
        assert worker.popen.wait(60) == 1
    (said,) = [line for line in worker.output().splitlines() if line.startswith("Renderline")]
    assert said.startswith(f"Renderline cannot start: Redis at 127.0.0.1:{valkey.port}/0 (REDIS_URL): ")
    assert said.endswith(why)
    assert "Traceback" not in worker.output()


def test_a_task_that_ends_after_its_connection_was_closed_does_not_end_the_worker(valkey: Valkey) -> None:
    """Celery passes over a connection error when it acknowledges; anything else, in its loop, is the worker's end."""
    with kombu.Connection(valkey.url, transport=transport_class()) as connection:
        queue = kombu.Queue("acknowledged late")
        Celery(broker=valkey.url).send_task(contract.HOOK, args=["0" * 32, 0], queue=queue.name)
        messages: list[kombu.Message] = []
        with kombu.Consumer(connection.default_channel, [queue], on_message=messages.append):
            connection.drain_events(timeout=60)
        connection.release()
        # As after a Redis that has gone: nothing is left of the connection.
        messages[0].channel._disconnect_pools()
        with pytest.raises(connection.connection_errors):
            messages[0].ack()
