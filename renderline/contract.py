"""The names and numbers that other services may rely on: tasks, queues, priorities, render ids.

Standard library only, so that a producer in another code base can import or copy this file.
"""

from __future__ import annotations

import uuid
from typing import Final

MESSAGE_VERSION: Final = 1
"""Version of the task arguments; raised when older workers cannot read them."""

REQUEST: Final = "renderline.request"
"""Accepts a request: kwargs ``request`` (object) and ``key`` (str or None). The result is the render id."""
SUBMIT: Final = "renderline.submit"
POLL: Final = "renderline.poll"
HOOK: Final = "renderline.hook"

REQUESTS_QUEUE: Final = "requests"
SUBMIT_QUEUE: Final = "submit"
POLL_QUEUE: Final = "poll"
HOOKS_QUEUE: Final = "hooks"
QUEUES: Final = (REQUESTS_QUEUE, SUBMIT_QUEUE, POLL_QUEUE, HOOKS_QUEUE)

PRIORITIES: Final = {"high": 0, "normal": 3, "low": 6}
"""Celery priority of a submission on Redis, where 0 is taken first."""

_NAMESPACE: Final = uuid.UUID("6f5f2a4e-6f0b-5d64-9f0e-0a9f7f0c6c11")


def render_id_for_key(key: str) -> str:
    """Return the id (32 hex digits) of the render that the idempotency key `key` stands for, through any door."""
    return uuid.uuid5(_NAMESPACE, f"key:{key}").hex


def render_id_for_message(message_id: str) -> str:
    """Return the id (32 hex digits) of the render asked for, without a key, by the message `message_id`.

    Derived rather than random: a message that the broker delivers twice accepts one render.
    """
    return uuid.uuid5(_NAMESPACE, f"message:{message_id}").hex
