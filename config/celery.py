"""Celery's options, each with the reason why it is not the default."""

from __future__ import annotations

from typing import Any

from config.settings import Settings

VISIBILITY_TIMEOUT = 300
"""Seconds after which Redis hands an unacknowledged message to another worker. Five times the longest countdown that
any of our messages carries (60 s), since a message waiting in a worker counts as unacknowledged: one that waits longer
than this runs once more for every period it waits (kombu#337)."""


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
        "broker_url": settings.redis_url,
        # The start itself is checked before (workers/startup.py); then it waits for a lost Redis however long.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A failover answers "READONLY" or "MASTERDOWN": errors of the channel, which end the worker by default.
        "broker_channel_error_retry": True,
        "broker_transport_options": {
            "visibility_timeout": VISIBILITY_TIMEOUT,
            # By default looked at every 100 s.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            # Without time limits a connection whose other end is gone is only noticed after many minutes.
            "socket_timeout": 30,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            "health_check_interval": 10,
            "retry_on_timeout": True,
            # Submissions carry priorities; on Redis each step is a list of its own. In which order those of all
            # queues are taken says workers/queue_order.py.
            "queue_order_strategy": "priority",
            "priority_steps": [0, 3, 6, 9],
            "client_name": "renderline",
        },
        # A lost connection leaves running tasks alone: what they do is fenced by the ledger, so that the copy that
        # is delivered afterwards changes nothing. Threads could not be stopped anyway.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
    }


def _messages() -> dict[str, Any]:
    return {
        # JSON alone: a pickle in a message is code that runs in the worker.
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "result_accept_content": ["json"],
        # A message is acknowledged when its task has ended, and handed on if its worker died. Safe because every task
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
        # The ledger holds every outcome. Only the door task `renderline.request` answers its producer: with the id.
        "result_backend": settings.redis_url,
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
        # Tasks wait for the network nearly all the time, and share one connection pool and one token: threads. A
        # second process, not a larger pool, is what a second core needs.
        "worker_pool": "threads",
        "worker_concurrency": settings.worker_concurrency,
        # One message in hand for each thread, so that others get their share and a killed worker holds few.
        "worker_prefetch_multiplier": 1,
        # For Flower. The redacted task argument representations are what it shows.
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        # structlog is set up by our own handler of the setup_logging signal.
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
