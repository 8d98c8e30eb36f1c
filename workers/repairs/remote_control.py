"""A worker answers the remote control commands that read it, and refuses those that would change it.

Every client that may publish on the broker's control channel can send any command: a shutdown, another pool size,
another queue, a rate limit, a revocation. RENDERLINE_REMOTE_CONTROL=all allows them. Workers take nothing from each
other either: Celery's mingle merges lists of revoked tasks, and its gossip runs tasks that an event names.
No upstream issue was found; Celery can only switch remote control off altogether, and then nobody can inspect a worker.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery.app import control
from celery.worker import consumer
from kombu import pidbox

from workers.message_fields import is_count, is_list_of, is_name
from workers.repairs.repair import CELERY, KOMBU, Repair

log = structlog.get_logger(__name__)

READING = frozenset(
    {
        "active",
        "active_queues",
        "clock",
        "conf",
        "dump_active",
        "dump_conf",
        "dump_reserved",
        "dump_revoked",
        "dump_schedule",
        "dump_tasks",
        # Flower asks for it; workers send events anyway.
        "enable_events",
        "hello",
        "ping",
        "query_task",
        "registered",
        "report",
        "reserved",
        "revoked",
        "scheduled",
        "stats",
    }
)
"""The commands that change nothing. The others that Celery calls inspection write files or take minutes of memory."""

_FIELDS = frozenset({"method", "arguments", "destination", "pattern", "matcher", "ticket", "reply_to"})

REFUSAL = (
    "refused: this worker answers only commands that read it; renders are canceled with `renderline cancel`, workers "
    "stopped with SIGTERM; RENDERLINE_REMOTE_CONTROL=all allows all commands"
)


class Node(pidbox.Node):
    """A worker's mailbox, which refuses what the settings do not allow."""

    state: Any
    handlers: Any
    mailbox: Any

    def handle_message(self, body: Any, message: Any = None) -> Any:
        """Run a broadcast that is a command. Celery would log any other with a traceback, and reconnect."""
        if why := _fault(body, message, replies_to=self.mailbox.reply_exchange.name):
            log.warning("broadcast ignored", why=why)
            return None
        return super().handle_message(body, message)

    def handle(self, method: Any, arguments: Any = None) -> Any:
        """Run a command, or return its refusal."""
        if self.state.app.settings.remote_control == "all":
            return super().handle(method, arguments)
        if method not in READING:
            # Only a name that Celery knows is logged: the rest of the message is a stranger's text.
            name = method if method in self.handlers else "unknown"
            log.warning("remote control command refused", command=name, allow="RENDERLINE_REMOTE_CONTROL=all")
            return {"error": REFUSAL}
        if method == "hello" and isinstance(arguments, dict):
            # It would also take over a list of revoked tasks.
            arguments = {"from_node": arguments.get("from_node")}
        try:
            return super().handle(method, arguments)
        except Exception as error:
            # Its text, which Celery would log with a traceback, may quote a stranger's arguments.
            log.warning("remote control command failed", command=method, error=type(error).__name__)
            return {"error": f"{method} failed: {type(error).__name__}"}


def _fault(body: Any, message: Any, *, replies_to: str) -> str | None:
    """Return why a broadcast is no command as Celery's clients send it; None if it is one."""
    if not isinstance(body, dict) or not body.keys() <= _FIELDS or not isinstance(body.get("method"), str):
        return "it is no command"
    if not isinstance(body.get("arguments"), dict | None) or not isinstance(body.get("ticket"), str | None):
        return "its arguments are not an object, or its ticket is not text"
    destination = body.get("destination")
    if destination is not None and not is_list_of(destination, str):
        return "its destination is not a list of names"
    # A regular expression may take for ever.
    if not isinstance(body.get("pattern"), str | None) or body.get("matcher") not in (None, "glob"):
        return "its pattern is no glob"
    if message is not None and not is_count(message.headers.get("clock") or 0):
        return "its clock is not a whole number"
    answer = body.get("reply_to")
    # The worker would push its answer to any key, with its own rights.
    if answer and not (
        isinstance(answer, dict) and answer.get("exchange") == replies_to and is_name(answer.get("routing_key"))
    ):
        return "it asks for an answer elsewhere than in the queue of answers"
    return None


class Mailbox(pidbox.Mailbox):
    """The mailbox of all workers."""

    node_cls = Node


class Control(control.Control):
    """Remote control of the application."""

    Mailbox = Mailbox


class Consumer(consumer.Consumer):
    """A consumer without gossip and mingle."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "without_gossip": True, "without_mingle": True})


REPAIR = Repair(
    name="remote control",
    promise="a command over the broker changes no worker",
    needs={**KOMBU, **CELERY},
    touches=(
        "kombu.pidbox:Node.handle",
        "kombu.pidbox:Node.handle_message",
        "kombu.pidbox:Mailbox.reply_exchange",
        "kombu.pidbox:Mailbox.node_cls",
        "celery.app.control:Control.Mailbox",
        "celery.worker.consumer.gossip:Gossip.call_task",
        "celery.worker.consumer.mingle:Mingle.sync_with_node",
    ),
    control=f"{__name__}:{Control.__name__}",
)
