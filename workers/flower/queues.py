"""All queues on Flower's page of queues, whatever was started first.

Flower lists the queues of the workers that answered its last question. Those of a worker that is late, busy or not
started are left out.
"""

from __future__ import annotations

from typing import Any

from flower.api.tasks import GetQueueLengths
from flower.views.broker import BrokerView

from renderline import contract


class _AllQueues:
    """Stands before a handler of Flower that lists queues."""

    def get_active_queue_names(self) -> list[str]:
        """Return the names of the queues to list: those that Flower knows, and all of ours."""
        known: Any = super()
        return sorted({*known.get_active_queue_names(), *contract.QUEUES})


class QueuePage(_AllQueues, BrokerView):
    """The page of queues."""


class QueueLengths(_AllQueues, GetQueueLengths):
    """The lengths of the queues, for programs."""


REPLACED: dict[type, type] = {BrokerView: QueuePage, GetQueueLengths: QueueLengths}
"""By Flower's handler, the one that takes its place."""

# Flower asks this method of its base handler; noticed here if it is gone.
BrokerView.get_active_queue_names  # noqa: B018
