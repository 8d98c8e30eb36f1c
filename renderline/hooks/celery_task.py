"""The hook kind `celery`: sends a task by name to another service's queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from renderline.hooks.kind import CELERY_VARIABLE, Delivery, HookFailed, RetriedSchema, chosen, setting_of
from renderline.ledger import FullQueue, HookQueues
from renderline.tenants import Actor, Tenant

LIMIT_VARIABLE = "RENDERLINE_HOOK_QUEUE_LIMIT"

# Renderline's own queues: its workers would take a foreign task there and drop it.
_OWN_QUEUES = frozenset({"requests", "submit", "poll", "hooks"})

# Keys that Celery's Redis transport keeps beside its queues; a queue of that name would break every worker.
_BROKER_KEYS = ("unacked", "_kombu")


def _foreign_task(name: str) -> None:
    if name.startswith(("renderline.", "celery.")):
        raise ValidationError("must be a task of another service, not one named renderline.* or celery.*.")


def _foreign_queue(name: str) -> None:
    if name in _OWN_QUEUES:
        raise ValidationError(f"must be a queue of another service, not one of {', '.join(sorted(_OWN_QUEUES))}.")
    if name.startswith(_BROKER_KEYS):
        raise ValidationError("must not begin with unacked or _kombu, which the broker needs for itself.")


class CeleryHookSchema(RetriedSchema):
    """`{"type": "celery", "task": "billing.video_ready", "queue": "billing"}`, optionally with `events`."""

    type = fields.String(required=True, validate=validate.Equal("celery"))
    task = fields.String(
        required=True,
        validate=[
            validate.Regexp(
                r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,254}\Z",
                error="must be a task name: at most 255 letters, digits and _ . : - in it.",
            ),
            _foreign_task,
        ],
    )
    queue = fields.String(
        required=True,
        validate=[
            # No colon and no control character: in Redis a queue is a key beside others.
            validate.Regexp(
                r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z",
                error="must be a queue name: at most 128 letters, digits and _ . - in it.",
            ),
            _foreign_queue,
        ],
    )


class CeleryHook:
    """Sends the delivery as the one argument of a named task, under the webhook id as the task's id."""

    type = "celery"
    schema: Schema = CeleryHookSchema()

    def __init__(self, send_task: Callable[..., object], *, queues: HookQueues | None = None) -> None:
        """`send_task` is called like `celery.Celery.send_task` and raises if the broker did not take the message.

        `queues` bounds the queues that it feeds; None: they are not bounded.
        """
        self._send_task, self._queues = send_task, queues

    def wants(self, event: str, hook: Mapping[str, Any] | None = None) -> bool:
        """Return whether the hook asks for this event; without `events` it asks for the default ones."""
        return chosen(event, hook)

    def problem(self, hook: Mapping[str, Any]) -> str | None:
        """Return None: the task goes through Renderline's own broker, so nothing has to be set."""
        return None

    def refusal(self, hook: Mapping[str, Any], tenant: Tenant, actor: Actor) -> str | None:
        """Return why a tenant's request may not name the task. Hooks that were accepted before still run.

        A task in another service's queue runs code there. So a caller with an API key needs a list that allows it. The
        broker, the command line and a gateway without keys are open to callers that could send the task themselves.
        """
        where = setting_of(tenant, "celery_hooks", CELERY_VARIABLE)
        if tenant.celery_hooks is None:
            if actor.door != "http" or actor.key_id is None:
                return None
            return (
                f"requests over HTTP may name no celery hook until {where} lists what they may send, as patterns "
                f"task@queue such as {hook['task']}@{hook['queue']}"
            )
        sent = f"{hook['task']}@{hook['queue']}"
        if any(fnmatchcase(sent, pattern) for pattern in tenant.celery_hooks):
            return None
        return f"{sent} is not among the tasks that {where} lists: {', '.join(tenant.celery_hooks) or 'none'}"

    def endpoint(self, hook: Mapping[str, Any], record: Mapping[str, Any]) -> str:
        """Return the task and its queue."""
        return f"{hook['task']}@{hook['queue']}"

    def deliver(self, hook: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
        """Publish the task; raises HookFailed if the broker did not take it, or if nobody reads the queue.

        The receiving task is called with one argument, `Delivery.body()`. A retry carries the same task id, so
        a service that remembers the ids it has handled can drop repeats. The message's header `request_id` is that of
        the render.
        """
        task, queue = hook["task"], hook["queue"]
        try:
            if self._queues:
                self._queues.check(task, queue, at=delivery.timestamp)
            options: dict[str, Any] = {"queue": queue, "task_id": delivery.webhook_id, "ignore_result": True}
            if request_id := delivery.record.get("request_id"):
                # A header of the message: the task finds it as `self.request.headers["request_id"]`.
                options["headers"] = {"request_id": request_id}
            self._send_task(task, args=[delivery.body()], **options)
        except FullQueue as full:
            raise HookFailed(
                f"task {task} was not sent to queue {queue}: {full}, as many as {LIMIT_VARIABLE} allows; start a "
                "consumer of that queue"
            ) from None
        except Exception as error:
            # The exceptions of a broken broker are not known here. Their text may hold the broker's password, so only
            # the type is shown.
            reason = type(error).__name__
            raise HookFailed(f"task {task} was not sent to queue {queue}: {reason}; check the broker") from None
        return {}
