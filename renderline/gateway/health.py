"""The health routes: is the process alive, and can it do its work."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from renderline.gateway.problem import RETRY_AFTER, problem

# Connecting and answering may each take half of the second that a probe waits.
_PATIENCE = 0.5


def routes(*, redis: Redis) -> Blueprint:
    """Return /healthz, which answers while the process lives, and /readyz, which also asks Redis."""
    blueprint = Blueprint("health", __name__)
    probe = _impatient(redis)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _uncached(jsonify(status="ok"))

    @blueprint.get("/readyz")
    def readyz() -> Response:
        failing = redis_failure(probe)
        if failing is None:
            return _uncached(jsonify(status="ok", checks={"redis": "ok"}))
        detail = f"Redis {failing}."
        headers = {"Retry-After": str(RETRY_AFTER)}
        return _uncached(problem(503, detail, headers=headers, checks={"redis": failing}))

    return blueprint


def redis_failure(redis: Redis) -> str | None:
    """Return None when Redis answers a ping, else what is wrong, without its address or password."""
    try:
        redis.ping()
    except RedisTimeout:
        return "did not answer in time"
    except RedisError as error:
        return f"cannot be used ({type(error).__name__})"
    return None


def _impatient(redis: Redis) -> Redis:
    """Return a client of the same server that gives up within a second and never repeats."""
    given = redis.connection_pool
    patience = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE, "retry": Retry(NoBackoff(), 0)}
    pool = ConnectionPool(connection_class=given.connection_class, **{**given.connection_kwargs, **patience})
    return Redis(connection_pool=pool)


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
