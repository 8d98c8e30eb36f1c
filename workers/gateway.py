"""The gateway as a process: `gunicorn "workers.gateway:create()"`."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import structlog
from flask import Flask
from redis import Redis, RedisError
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from config import logging, redis_address, settings
from config.env_file import environment
from config.login_throttle import LoginThrottle
from renderline.capabilities import KnownAccounts
from renderline.catalogue.browser import Browser
from renderline.dispatcher import Dispatcher
from renderline.gateway import AllowAll, EventStreams, create_app
from renderline.gateway.api_keys import ApiKeys
from renderline.gateway.webhooks import WebhookHandler
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import Commands, Ledger, Queries, ServerClock
from renderline.ledger.schema import SchemaMismatch, check_schema
from renderline.ledger.server_kind import server_problem
from renderline.operations import Operations
from renderline.signed_urls.download_links import DownloadLinks
from tasks.publisher import CeleryPublisher
from workers.application import create_app as create_celery_app
from workers.composition.acceptance import acceptor
from workers.composition.catalogue import catalogue_store
from workers.composition.explanation import explainer
from workers.composition.hooks import hook_kinds
from workers.composition.observers import gateway_observers
from workers.composition.tenants import tenants
from workers.composition.uploads import upload_store
from workers.composition.webhooks import fallback_interval, webhook_urls
from workers.listening import listening_beyond_loopback
from workers.redis_pool import open_client

log = structlog.get_logger(__name__)

# Seconds until a call to a hanging Redis is given up, because a caller waits for the answer. Longer than one blocking
# read of an event stream.
_REDIS_TIMEOUT = 2.5


def create() -> Flask:
    """Return the gateway for this environment; bad settings end the process with one line for each."""
    try:
        chosen = settings.load(environment(), role="gateway")
    except settings.SettingsError as problem:
        # gunicorn's status for "the application cannot be loaded": its master then stops instead of retrying.
        print(f"The gateway cannot start:\n{problem}", file=sys.stderr)
        raise SystemExit(4) from None
    logging.configure(level=chosen.log_level, fmt=chosen.log_format, secrets=chosen.secrets())
    if ignored := chosen.warning():
        log.warning("settings of a later version ignored", what=ignored)
    if not chosen.api_keys_required and (beyond := listening_beyond_loopback()):
        print(
            f"The gateway cannot start: other machines reach {beyond}, and RENDERLINE_API_KEYS_REQUIRED=false lets "
            "everybody in; set that to true, or bind to 127.0.0.1: RENDERLINE_GATEWAY_BIND, or the server's own option",
            file=sys.stderr,
        )
        raise SystemExit(4)
    try:
        with _connect(chosen) as redis:
            if why := server_problem(redis):
                print(f"The gateway cannot start: {redis_address.shown(chosen.redis_url)}: {why}", file=sys.stderr)
                raise SystemExit(4)
            check_schema(redis)
    except SchemaMismatch as problem:
        print(f"The gateway cannot start: {problem}", file=sys.stderr)
        raise SystemExit(4) from None
    except (RedisError, OSError):
        pass  # /readyz reports it, and the gateway serves requests once Redis answers
    return build(chosen)


def build(chosen: settings.Settings) -> Flask:
    """Return the gateway for these settings."""
    redis = _connect(chosen)
    celery = create_celery_app(chosen)
    celery.conf.broker_transport_options = {
        **celery.conf.broker_transport_options,
        "socket_timeout": _REDIS_TIMEOUT,
        "socket_connect_timeout": _REDIS_TIMEOUT,
    }
    celery.conf.task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
    ledger = Ledger(redis, grace=chosen.lease, observer=gateway_observers())
    dispatcher = Dispatcher(CeleryPublisher(celery), ledger)
    lists = catalogue_store(chosen, redis, ServerClock(redis))
    accounts = KnownAccounts(ledger, chosen.account_names)
    return create_app(
        redis=redis,
        ledger=ledger,
        queries=Queries(ledger, labels=chosen.labels),
        acceptor=acceptor(chosen, ledger, dispatcher, hook_kinds(celery, chosen), lists),
        operations=Operations(ledger, dispatcher, accounts, tenants=tenants(chosen)),
        lists=Browser(lists, ledger, tenants(chosen)),
        authenticator=ApiKeys(redis) if chosen.api_keys_required else AllowAll(),
        max_bytes=chosen.max_request_bytes,
        streams=EventStreams(limit=chosen.gateway_threads, closing=_closing()),
        threads=chosen.gateway_threads,
        rate=chosen.api_rate,
        webhooks=_webhook_handler(chosen, ledger, dispatcher),
        upload_store=upload_store(chosen),
        upload_bytes_per_day=chosen.upload_bytes_per_day,
        login_throttle=LoginThrottle(proxies=chosen.trusted_proxies),
        explainer=explainer(ledger, chosen),
        videos=TenantFolders(chosen.storage_url, uploads_url=chosen.uploads_folder),
        download_links=DownloadLinks(chosen.secret_key) if chosen.secret_key else None,
        public_url=chosen.public_url,
    )


def _webhook_handler(chosen: settings.Settings, ledger: Ledger, dispatcher: Dispatcher) -> WebhookHandler | None:
    urls, interval = webhook_urls(chosen), fallback_interval(chosen)
    if urls is None or interval is None:
        return None
    return WebhookHandler(urls, Commands(ledger), dispatcher, interval)


def _connect(chosen: settings.Settings) -> Redis:
    return open_client(
        chosen.redis_url,
        decode_responses=True,
        socket_timeout=_REDIS_TIMEOUT,
        socket_connect_timeout=_REDIS_TIMEOUT,
        socket_keepalive=True,
        health_check_interval=15,
        client_name="renderline-gateway",
        # One retry, for a connection that Redis has closed since its last use; a timeout is not retried.
        retry=Retry(ConstantBackoff(0.05), 1, supported_errors=(RedisConnectionError,)),
    )


def _closing() -> threading.Event:
    """Return an event that is set on SIGTERM, before the server's own handler runs."""
    closing = threading.Event()
    before: Any = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: Any) -> None:
        closing.set()
        if callable(before):
            before(number, frame)

    if threading.current_thread() is threading.main_thread() and callable(before):
        signal.signal(signal.SIGTERM, stop)
    return closing
