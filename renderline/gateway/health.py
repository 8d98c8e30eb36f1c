"""The health routes: whether the process is alive, and whether it can work."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Flask, Response, current_app, jsonify
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from renderline.capabilities import unconsumed_queues
from renderline.gateway.error_handlers import RETRY_AFTER
from renderline.gateway.problem import problem_response
from renderline.ledger import PREFIX, Ledger

blp = Blueprint("health", __name__)

# A probe waits one second; half of it for the connection, half for the answer.
_TIMEOUT: Final = 0.5
_EXTENSION: Final = "renderline-health"


def install(app: Flask, *, redis: Redis, prefix: str = PREFIX) -> None:
    """Add /healthz, which answers while the process is alive, and /readyz, which asks Redis and who works."""
    app.extensions[_EXTENSION] = Ledger(_probe_client(redis), prefix=prefix)
    app.register_blueprint(blp)


@blp.get("/healthz")
def healthz() -> Response:
    """Answer that the process is alive."""
    return jsonify(status="ok")


@blp.get("/readyz")
def readyz() -> Response:
    """Answer whether Redis responds, and whether workers take messages of every queue."""
    headers = {"Retry-After": str(RETRY_AFTER)}
    try:
        unconsumed = unconsumed_queues(current_app.extensions[_EXTENSION].capabilities())
    except RedisError as error:
        failure = _redis_failure(error)
        return problem_response(503, f"Redis {failure}.", headers=headers, checks={"redis": failure})
    if unconsumed:
        failure = f"no live worker takes messages of {', '.join(unconsumed)}"
        checks = {"redis": "ok", "workers": failure}
        detail = f"Requests are accepted and wait: {failure}."
        return problem_response(503, detail, headers=headers, checks=checks)
    return jsonify(status="ok", checks={"redis": "ok", "workers": "ok"})


@blp.after_request
def _no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response


def _redis_failure(error: RedisError) -> str:
    """Return the problem without the server's address or password."""
    if isinstance(error, RedisTimeout):
        return "did not answer in time"
    return f"is unavailable ({type(error).__name__})"


def _probe_client(redis: Redis) -> Redis:
    """Return a client of the same server that gives up within a second and never retries."""
    given = redis.connection_pool
    timeouts = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "retry": Retry(NoBackoff(), 0)}
    pool = ConnectionPool(connection_class=given.connection_class, **{**given.connection_kwargs, **timeouts})
    return Redis(connection_pool=pool)
