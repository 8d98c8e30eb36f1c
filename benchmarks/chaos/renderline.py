"""Renderline under test: its workers, a separate Celery producer, and its ledger, read at the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from celery import Celery
from redis import Redis

from benchmarks.chaos.accounting import Fate, Reported, name_of
from benchmarks.chaos.contender import BROKER_AWAY, System
from benchmarks.chaos.plan import EXPORT, FAULTS
from benchmarks.chaos.vendors import ACCOUNTS, ILL
from harness import HOOK_SECRET, USER_KEY, Process, Worker
from harness.fork_server import ForkServer
from renderline import contract
from renderline.ledger import PREFIX, Ledger
from renderline.renders import FINAL

ASK_AGAIN_AFTER = 8.0
"""Seconds after which a producer without an answer asks again; the same key makes that harmless."""

_AVATAR = {"model": "M000045058", "clothes": "BG00002320", "language": "en"}

_FATES: dict[str, Fate] = {
    "delivered": "delivered",
    "undelivered": "failed",
    "failed": "failed",
    "expired": "failed",
    "canceled": "failed",
}


class Renderline:
    """The system of this repository."""

    name = "renderline"
    meets = frozenset(FAULTS)
    paid_call = EXPORT
    tasks: ClassVar[Mapping[str, str]] = {
        contract.REQUESTS_QUEUE: contract.REQUEST,
        contract.SUBMIT_QUEUE: contract.SUBMIT,
        contract.POLL_QUEUE: contract.POLL,
        contract.HOOKS_QUEUE: contract.HOOK,
    }

    def __init__(self, system: System) -> None:
        self._system = system
        self._app = _producer(system)
        self._accounts = system.directory / "accounts.toml"
        self._accounts.write_text("\n".join(_account(name, system) for name in dict.fromkeys(ACCOUNTS)))
        self._redis = Redis.from_url(system.redis_url, decode_responses=True, socket_timeout=10)
        self._ledger = Ledger(self._redis)
        self._fork_server: ForkServer | None = None
        self._asked: dict[int, float] = {}
        self._accepted: set[int] = set()
        self._lock = threading.Lock()

    def start_worker(self, queues: str, log: Path) -> Process:
        """Start one worker process that serves these queues."""
        if not self._system.plan.hatched:
            return Worker(log, queues=queues, environ=self._environ())
        if self._fork_server is None:
            environ = {name: str(value) for name, value in self._environ().items()}
            self._fork_server = ForkServer(log=self._system.directory / "fork-server.log", environ=environ)
        return self._fork_server.start(queues, log)

    def _environ(self) -> dict[str, Any]:
        system = self._system
        return {
            "REDIS_URL": system.redis_url,
            "AISTUDIOS_ACCOUNTS": self._accounts,
            "RENDERLINE_HOOK_SECRET": HOOK_SECRET,
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            "RENDERLINE_DATA_DIR": system.directory,
            "RENDERLINE_POLL_MIN": 0.5,
            "RENDERLINE_POLL_MAX": 3,
            "RENDERLINE_LEASE": system.plan.lease,
            "RENDERLINE_SLOW_LEASE": system.plan.lease,
            "RENDERLINE_SWEEP_EVERY": system.plan.sweep_every,
            "RENDERLINE_OUTAGE_PROBE": 2,
            "RENDERLINE_EVIDENCE_WINDOW": system.plan.evidence_window,
        }

    def ask(self, order: int) -> None:
        """Send one request; raises the broker client's errors if the broker is down."""
        name = name_of(order)
        request: dict[str, Any] = {
            "kind": "project",
            "name": name,
            "scenes": [{"script": "Hello.", "avatar": _AVATAR}],
            "account": ACCOUNTS[order % len(ACCOUNTS)],
            "hooks": [{"type": "http", "url": url} for url in self._system.hook_urls(order)],
            "metadata": {"order": str(order)},
        }
        try:
            self._app.send_task(
                contract.REQUEST,
                kwargs={"request": request, "key": name},
                queue=contract.REQUESTS_QUEUE,
                ignore_result=True,
            )
        except BROKER_AWAY:
            # Its connections may lead to a demoted server, and would stay read-only.
            self._app.close()
            self._app = _producer(self._system)
            raise
        with self._lock:
            self._asked[order] = time.monotonic()

    def tend(self) -> int:
        """Repeat requests that were not accepted in time: a broker may lose a message together with its worker."""
        with self._lock:
            missing = [order for order in self._asked if order not in self._accepted]
        keys = [f"{PREFIX}render:{_id(order)}" for order in missing]
        with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.exists(key)
            present = pipe.execute()
        self._accepted.update(order for order, there in zip(missing, present, strict=True) if there)
        late = time.monotonic() - ASK_AGAIN_AFTER
        again = [order for order in missing if order not in self._accepted and self._asked[order] < late]
        for order in again:
            self.ask(order)
        return len(again)

    def reconnect(self) -> None:
        """Close connections to a server that is no longer the primary."""
        self._redis.connection_pool.disconnect()

    def unsettled(self) -> int:
        """Return how many requests are not accepted, have not ended, owe hooks, or may have an orphan draft."""
        with self._redis.pipeline(transaction=False) as pipe:
            for state in FINAL:
                pipe.zcard(f"{PREFIX}state:{state}")
            pipe.zcard(f"{PREFIX}resend")
            for account in dict.fromkeys(ACCOUNTS):
                pipe.zcard(f"{PREFIX}orphan_drafts:{account}")
            counts = pipe.execute()
        ended, woken, orphans = counts[: len(FINAL)], counts[len(FINAL)], counts[len(FINAL) + 1 :]
        return max(len(self._asked) - sum(ended), woken, sum(orphans))

    def reported(self) -> Sequence[Reported]:
        """Return the fate of every render that was ever seen in the ledger."""
        self.tend()
        orders = sorted(self._accepted)
        return [self._fate(order, record) for order, record in zip(orders, self._records(orders), strict=True)]

    def _records(self, orders: Sequence[int]) -> list[dict[str, Any] | None]:
        return self._ledger.records([_id(order) for order in orders])

    @staticmethod
    def _fate(order: int, record: dict[str, Any] | None) -> Reported:
        if record is None:
            return Reported(order, "lost", why="no longer in the ledger")
        state = record["state"]
        why = "" if state == "delivered" else f"{state}: {record['error'] or record['note']}, {record['times']}"
        return Reported(order, _FATES.get(state, "stuck"), project_id=record["project_id"], why=why)

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._app.close()
        if self._fork_server is not None:
            self._fork_server.kill()


def _producer(system: System) -> Celery:
    app = Celery("billing", broker=system.redis_url)
    app.conf.broker_transport_options = {"socket_timeout": 5, "socket_connect_timeout": 2}
    return app


def _account(name: str, system: System) -> str:
    url = system.ill_vendor_url if name == ILL else system.vendor_url
    lines = {"name": name, "app_id": f"studioV3.{name}", "user_key": USER_KEY, "base_url": url}
    return "\n".join(["[[account]]", *(f'{key} = "{value}"' for key, value in lines.items())])


def _id(order: int) -> str:
    return contract.render_id_for_key(name_of(order))
