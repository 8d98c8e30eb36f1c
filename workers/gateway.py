"""The gateway as a process: `gunicorn "workers.gateway:create()"`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from flask import Blueprint, Flask
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from config import logging, settings
from renderline.dispatcher import Dispatcher
from renderline.gateway import OpenGate, Streams, create_app
from renderline.gateway.keys import ApiKeys
from renderline.gateway.webhooks import Receiver, blueprint
from renderline.ledger import Commands, Ledger, Queries
from renderline.ledger.failover import connection_class
from tasks.publisher import CeleryPublisher
from workers.application import create_app as create_celery_app
from workers.composition.acceptance import acceptor
from workers.composition.hooks import hook_kinds
from workers.composition.webhooks import fallback_interval, webhook_urls

# A caller waits for the answer: seconds until a Redis that hangs is given up. Longer than an event stream's look.
_PATIENCE = 2.5


def create() -> Flask:
    """Return the gateway composed from the environment; bad settings end the process with one line for each."""
    try:
        chosen = settings.load(os.environ, role="gateway")
    except settings.SettingsError as problem:
        # gunicorn's status for "the application cannot be loaded": its master stops instead of trying again.
        print(f"The gateway cannot start:\n{problem}", file=sys.stderr)
        raise SystemExit(4) from None
    logging.configure(level=chosen.log_level, fmt=chosen.log_format, secrets=chosen.secrets())
    return build(chosen)


def build(chosen: settings.Settings) -> Flask:
    """Return the gateway for these settings."""
    redis = _connect(chosen)
    celery = create_celery_app(chosen)
    celery.conf.broker_transport_options = {
        **celery.conf.broker_transport_options,
        "socket_timeout": _PATIENCE,
        "socket_connect_timeout": _PATIENCE,
    }
    celery.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
    ledger = Ledger(redis, grace=chosen.lease)
    dispatcher = Dispatcher(CeleryPublisher(celery), ledger)
    operations = Commands(ledger)
    return create_app(
        redis=redis,
        ledger=ledger,
        operations=operations,
        listing=Queries(ledger),
        acceptor=acceptor(chosen, ledger, dispatcher, hook_kinds(celery, chosen)),
        dispatcher=dispatcher,
        keys=ApiKeys(redis) if chosen.api_keys_required else OpenGate(),
        max_bytes=chosen.max_request_bytes,
        streams=Streams(limit=chosen.gateway_threads * 3 // 4, closing=_closing()),
        rate=chosen.api_rate,
        webhooks=_webhooks(chosen, operations, dispatcher),
    )


def _webhooks(chosen: settings.Settings, operations: Commands, dispatcher: Dispatcher) -> Blueprint | None:
    urls, seconds = webhook_urls(chosen), fallback_interval(chosen)
    if urls is None or seconds is None:
        return None
    return blueprint(Receiver(urls, operations, dispatcher, net=seconds))


def _connect(chosen: settings.Settings) -> Redis:
    return Redis.from_url(
        chosen.redis_url,
        connection_class=connection_class(chosen.redis_url),
        decode_responses=True,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        socket_keepalive=True,
        health_check_interval=15,
        client_name="renderline-gateway",
        # Once more, for a connection that Redis closed since it was last used; one that hangs is not tried again.
        retry=Retry(ConstantBackoff(0.05), 1, supported_errors=(RedisConnectionError,)),
    )


def _closing() -> threading.Event:
    """Return an event that is set when the process is asked to stop, before its server's own handler runs."""
    closing = threading.Event()
    before: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        closing.set()
        if callable(before):
            before(number, frame)

    if threading.current_thread() is threading.main_thread() and callable(before):
        signal.signal(signal.SIGTERM, stop)
    return closing
