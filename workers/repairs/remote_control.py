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

REFUSAL = (
    "refused: this worker answers only commands that read it; renders are canceled with `renderline cancel`, workers "
    "stopped with SIGTERM; RENDERLINE_REMOTE_CONTROL=all allows all commands"
)


class Node(pidbox.Node):
    """A worker's mailbox, which refuses what the settings do not allow."""

    state: Any
    handlers: Any

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
        return super().handle(method, arguments)


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
        "kombu.pidbox:Mailbox.node_cls",
        "celery.app.control:Control.Mailbox",
        "celery.worker.consumer.gossip:Gossip.call_task",
        "celery.worker.consumer.mingle:Mingle.sync_with_node",
    ),
    control=f"{__name__}:{Control.__name__}",
)
