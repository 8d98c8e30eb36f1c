"""The checks before a worker starts. A problem that would make it fail later is reported in one line."""

from __future__ import annotations

import sys

from redis import Redis, RedisError, ResponseError

from config import redis_address
from config.settings import Settings
from renderline.ledger import AccountLimits, Ledger, persistence
from renderline.ledger.eviction import policy_problem
from renderline.ledger.schema import SchemaMismatch, check_schema
from renderline.ledger.server_kind import server_problem
from workers.application import Renderline, load_or_exit
from workers.composition.connection import connect


def check_or_exit(app: Renderline) -> None:
    """End the process if the libraries, the settings or Redis do not allow a worker to work."""
    if problem := app.selection.refusal():
        sys.exit(f"Renderline cannot start: {problem}")
    app.settings = load_or_exit("worker")
    if problem := _redis_problem(app.settings):
        address = redis_address.shown(app.settings.redis_url)
        sys.exit(f"Renderline cannot start: Redis at {address} (REDIS_URL): {problem}")
    try:
        app.services  # noqa: B018
    except Exception as error:
        # Later, Celery would only log it, and the worker would fail every message that it takes.
        sys.exit(f"Renderline cannot start: {type(error).__name__}: {error}")


def _redis_problem(settings: Settings) -> str | None:
    try:
        with connect(settings) as redis:
            problem = (
                server_problem(redis)
                or policy_problem(redis)
                or _disk_problem(redis, settings)
                or _schema_problem(redis)
            )
            if problem:
                return problem
            if settings.wait_for_replicas:
                redis.execute_command("WAIT", 0, 1)  # refused here, not before the first paid call
            # For all workers: a claim reads the limit from Redis.
            AccountLimits(Ledger(redis)).set_slots(
                {account.name: account.max_concurrent_renders for account in settings.accounts}
            )
    except ResponseError as error:
        return str(error)
    except (RedisError, OSError) as error:
        return f"it does not answer: {error}"
    return None


def _schema_problem(redis: Redis) -> str | None:
    try:
        check_schema(redis)
    except SchemaMismatch as mismatch:
        return str(mismatch)
    return None


def _disk_problem(redis: Redis, settings: Settings) -> str | None:
    if settings.wait_for_disk != "always" or not (why := persistence(redis).why):
        return None
    return f"{why}; RENDERLINE_WAIT_FOR_DISK=always needs to see its writes on disk; set auto to start without that"
