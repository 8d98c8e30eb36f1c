"""Celery's options, each with the reason for it."""

from __future__ import annotations

from typing import Any

from config import redis_address
from config.settings import Settings

VISIBILITY_TIMEOUT = 300
"""Seconds after which an unacked message is delivered to another worker. Five times our longest countdown (60 s): a
message that waits in a worker is unacked, and one that waits longer than this runs several times (kombu#337)."""


def options(settings: Settings) -> dict[str, Any]:
    """Return the Celery configuration of every Renderline process."""
    return {
        **_broker(settings),
        **_messages(),
        **_results(settings),
        **_workers(settings),
    }


def _broker(settings: Settings) -> dict[str, Any]:
    return {
        "broker_url": redis_address.celery_url(settings.redis_url),
        # Celery reads the address; Flower's page of queues reads this.
        "broker_use_ssl": redis_address.read(settings.redis_url).tls,
        # workers/startup.py checks Redis first. A running worker waits for a lost Redis without a time limit.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # After a failover Redis answers READONLY or MASTERDOWN: channel errors, which end a worker by default.
        "broker_channel_error_retry": True,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            # Unacked messages are checked every 100 s by default.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            # Without timeouts it takes many minutes to notice a dead connection.
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": True,
            # Submissions have priorities. On Redis each step has its own list; workers/queue_order.py decides the
            # order of all lists.
            "queue_order_strategy": "priority",
            "priority_steps": [0, 3, 6, 9],
            "client_name": "renderline",
            **_address(settings),
            # A worker sends what a message names as its link or chain with its own rights. Where a list says what
            # requests may send, that would be a way past it.
            "links": not _lists_hooks(settings),
        },
        # Running tasks go on when the connection is lost. The ledger fences them, so the second delivery changes
        # nothing. Threads could not be stopped anyway.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _address(settings: Settings) -> dict[str, Any]:
    """Return what Celery's spelling of a socket or of Sentinels leaves out; workers/repairs/address.py reads it."""
    where = redis_address.Shown(settings.redis_url)
    return {"address": where} if where.address.socket or where.address.master_name else {}


def _lists_hooks(settings: Settings) -> bool:
    """Return whether the celery hooks of a tenant that messages may name are limited to a list."""
    tables = [table for table in settings.tenants if table["name"] in settings.broker_tenants]
    return settings.celery_hooks is not None or any("celery_hooks" in table for table in tables)


def _messages() -> dict[str, Any]:
    return {
        # Only JSON: a pickle in a message is code that runs in the worker.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # A message is acked when its task has ended, and delivered again if its worker died. That is safe: every task
        # asks the ledger first.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_default_queue": "requests",
        "task_routes": {
            "renderline.request": {"queue": "requests"},
            "renderline.submit": {"queue": "submit"},
            "renderline.poll": {"queue": "poll"},
            "renderline.hook": {"queue": "hooks"},
        },
        "timezone": "UTC",
        "task_repr_maxlevels": 1,
    }


def _results(settings: Settings) -> dict[str, Any]:
    return {
        # The ledger holds every outcome. Only `renderline.request` has a result for its producer: the render id.
        "result_backend": redis_address.celery_url(settings.redis_url),
        "result_backend_transport_options": _address(settings),
        "task_ignore_result": True,
        "result_expires": 3600,
        "redis_socket_timeout": 30,
        "redis_socket_connect_timeout": 5,
        "redis_socket_keepalive": True,
        "redis_retry_on_timeout": True,
        "redis_backend_health_check_interval": 10,
    }


def _workers(settings: Settings) -> dict[str, Any]:
    return {
        # Threads: tasks mostly wait for the network, and share a connection pool and a token. To use a second core,
        # start a second worker.
        "worker_pool": "threads",
        "worker_concurrency": settings.worker_concurrency,
        # One message for each thread, so that other workers get their share and a killed worker holds few.
        "worker_prefetch_multiplier": 1,
        # Workers take neither revocations nor tasks from each other's events.
        "worker_consumer": "workers.repairs.remote_control:Consumer",
        # For Flower, which shows redacted task arguments.
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        # structlog is set up by our own handler of the setup_logging signal.
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
