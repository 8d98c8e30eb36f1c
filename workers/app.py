"""The Celery application: `celery -A workers.app worker -Q requests,submit,poll,hooks`."""

from __future__ import annotations

import gc
import os
import sys
import threading
from datetime import UTC, datetime
from typing import Any

from celery import Celery, signals
from redis import Redis, RedisError, ResponseError

from config import celery, logging, settings
from renderline import contract
from renderline.ledger import AccountLimits, Ledger, ServerClock, keeping
from renderline.ledger.eviction import policy_problem
from tasks.services import Services
from workers import acknowledging, broker, departure, events, results
from workers.composition import compose, connect
from workers.housekeeping import Housekeeper


class Renderline(Celery):
    """A Celery application that carries its process's use cases, and goes by the Redis server's clock."""

    chosen: settings.Settings
    _services: tuple[int, Services] | None = None
    _clock: tuple[int, ServerClock] | None = None
    _composing = threading.Lock()

    @property
    def services(self) -> Services:
        """Return this process's use cases, composed on first use (connections do not survive a fork)."""
        with self._composing:
            if self._services is None or self._services[0] != os.getpid():
                self._services = (os.getpid(), compose(self, self.chosen))
            return self._services[1]

    @property
    def server_clock(self) -> ServerClock:
        """Return what tells the server's time in this process."""
        if self._clock is None or self._clock[0] != os.getpid():
            self._clock = (os.getpid(), ServerClock(connect(self.chosen)))
        return self._clock[1]

    def now(self) -> datetime:
        """Return the server's time, from which Celery makes the ETA of a message."""
        return datetime.fromtimestamp(self.server_clock(), UTC).astimezone(self.timezone)


def create(chosen: settings.Settings) -> Renderline:
    """Return the application for these settings."""
    broker.install()
    new = Renderline("renderline", include=["tasks.request", "tasks.submit", "tasks.poll", "tasks.hook"])
    new.chosen = chosen
    new.conf.update(celery.options(chosen))
    new.loader.override_backends = dict.fromkeys(("redis", "rediss"), f"{results.__name__}:Backend")
    new.steps["consumer"].update({acknowledging.Acknowledging, departure.HandBack, events.Batches})
    return new


def _load(role: settings.Role) -> settings.Settings:
    try:
        return settings.load(os.environ, role=role)
    except settings.SettingsError as problem:
        sys.exit(f"Renderline cannot start:\n{problem}")


# Flower and `celery inspect` load this module too and need no vendor credentials; a worker names all that it lacks.
app = create(_load("worker" if "worker" in sys.argv[1:] else "gateway"))


@signals.celeryd_init.connect
def check_before_start(**_: Any) -> None:
    """End a worker that could not work: bad settings or no Redis, said in plain words."""
    chosen = _load("worker")
    try:
        with connect(chosen) as redis:
            problem = policy_problem(redis) or _disk_problem(redis, chosen)
            # For all workers: where work is claimed, the limit is read from Redis.
            AccountLimits(Ledger(redis)).limit(
                {account.name: account.max_concurrent_renders for account in chosen.accounts}
            )
    except (RedisError, OSError) as error:
        problem = str(error) if isinstance(error, ResponseError) else f"it does not answer: {error}"
    if problem:
        address = chosen.redis_url.rpartition("@")[2].removeprefix("redis://").removeprefix("rediss://")
        sys.exit(f"Renderline cannot start: Redis at {address} (REDIS_URL): {problem}")
    app.chosen = chosen
    try:
        app.services  # noqa: B018
    except Exception as error:
        # Later, Celery would log it and go on, with a worker that fails every message that it takes.
        sys.exit(f"Renderline cannot start: {type(error).__name__}: {error}")


def _disk_problem(redis: Redis, chosen: settings.Settings) -> str | None:
    if chosen.wait_for_disk != "always" or not (why := keeping(redis).why):
        return None
    return f"{why}; RENDERLINE_WAIT_FOR_DISK=always wants to see its writes on disk: set auto to go on without"


@signals.setup_logging.connect
def set_up_logging(**_: Any) -> None:
    """Log as configured, secrets masked, instead of Celery's own set-up."""
    chosen = app.chosen
    logging.configure(level=chosen.log_level, fmt=chosen.log_format, secrets=chosen.secrets())


_housekeeper: Housekeeper | None = None


@signals.worker_ready.connect
def start_housekeeping(sender: Any, **_: Any) -> None:
    """Start the sweep; every worker runs one, and a lock lets one at a time do the work."""
    global _housekeeper
    chosen = app.chosen
    _housekeeper = Housekeeper(app.services, name=sender.hostname, sweep_every=chosen.sweep_every, lease=chosen.lease)
    _housekeeper.start()


@signals.worker_ready.connect
def share_threads(**_: Any) -> None:
    """Give hooks all threads of a worker that does nothing else; elsewhere they have half of them."""
    if set(app.amqp.queues.consume_from) == {contract.HOOKS_QUEUE} and app.services.deliverer.concurrency:
        app.services.deliverer.concurrency.resize(app.chosen.worker_concurrency)


@signals.worker_ready.connect
def spare_the_collector(**_: Any) -> None:
    """Leave what was imported out of every later garbage collection: it stays as long as the process does."""
    gc.collect()
    gc.freeze()


@signals.worker_ready.connect
def prepare_to_leave(sender: Any, **_: Any) -> None:
    """Have every way of asking this worker to stop mean the same."""
    departure.mean_the_same(sender.hostname)


@signals.worker_shutting_down.connect
def leave(**_: Any) -> None:
    """Hand back what waits and stop sweeping; running hooks keep their claims until they end or their lease does."""
    if _housekeeper is not None:
        _housekeeper.stop()
    app.services.poller.leave()
    departure.Departure(app, timeout=app.chosen.shutdown_timeout).start()
