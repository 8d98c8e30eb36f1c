"""The names and numbers that other services may use: tasks, queues, priorities, render ids.

Standard library only, so that a producer in another code base can import or copy this file.
"""

from __future__ import annotations

import re
import uuid
from typing import Any, Final

MESSAGE_VERSION: Final = 1
"""Version of the task arguments; raised when older workers cannot read them."""

VERSION_HEADER: Final = "renderline_version"
"""The message header with its `MESSAGE_VERSION`; without it the version is 1. A worker that finds a later one keeps the
message in quarantine, whole, until a worker that can read it takes it up, or an operator requeues it."""

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

MAX_KEY_LENGTH: Final = 255
"""Characters of an idempotency key; see `key_error`."""

# Control characters, and lone surrogates, which have no bytes to derive an id from.
_NOT_IN_KEYS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_NAMESPACE: Final = uuid.UUID("6f5f2a4e-6f0b-5d64-9f0e-0a9f7f0c6c11")

REQUEST_ID_HEADER: Final = "request_id"
"""The header of a `renderline.request` message with the id of the request that led to it; see `request_id_error`. It is
in the render's record, in every log line about it, and in what its hooks send."""
MAX_REQUEST_ID_LENGTH: Final = 128
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")

DEFAULT_TENANT: Final = "default"
"""The tenant of a request that names none."""
TENANT_PATTERN: Final = "[a-z0-9][a-z0-9_-]{0,63}"
TENANT_RULE: Final = "must be 1 to 64 lower-case letters, digits, - or _, beginning with a letter or digit"


def key_error(key: Any) -> str | None:
    """Return why `key` cannot be an idempotency key, None if it can. The rule is the same for every door."""
    if not isinstance(key, str):
        return "must be a string"
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        return f"must have 1 to {MAX_KEY_LENGTH} characters"
    return "must not have control characters or halves of surrogate pairs" if _NOT_IN_KEYS.search(key) else None


def tenant_error(tenant: Any) -> str | None:
    """Return why `tenant` cannot be the name of a tenant, None if it can."""
    return None if isinstance(tenant, str) and re.fullmatch(TENANT_PATTERN, tenant) else TENANT_RULE


def request_id_error(request_id: Any) -> str | None:
    """Return why `request_id` cannot be the id of a request, None if it can. Doors ignore one that cannot."""
    if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id):
        return None
    return f"must be 1 to {MAX_REQUEST_ID_LENGTH} letters, digits and . _ : / + = @ -"


def render_id_for_key(key: str, tenant: str = DEFAULT_TENANT) -> str:
    """Return the id (32 hex digits) of a tenant's render with this idempotency key; the same through every door."""
    return uuid.uuid5(_namespace(tenant), f"key:{key}").hex


def render_id_for_message(message_id: str, tenant: str = DEFAULT_TENANT) -> str:
    """Return the id (32 hex digits) of a tenant's render without a key, derived from its message's id.

    A random id would accept a second render if the broker delivers the message twice.
    """
    return uuid.uuid5(_namespace(tenant), f"message:{message_id}").hex


def _namespace(tenant: str) -> uuid.UUID:
    # A namespace for each tenant, so that no key of one gives the id of another's render.
    return _NAMESPACE if tenant == DEFAULT_TENANT else uuid.uuid5(_NAMESPACE, f"tenant:{tenant}")
