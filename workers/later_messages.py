"""Messages of a later version: an earlier worker puts them aside, and one that can read them takes them up.

So a request of a new version is accepted by a new worker, also if an old one takes its message off the queue first.
"""

from __future__ import annotations

import structlog

from renderline.ledger.quarantine import BEGIN, EntryNotFound, NotRequeued, Quarantine
from workers.message_check import InvalidMessage, check_task, read

log = structlog.get_logger(__name__)

EVERY = 2.0
"""Seconds between two looks."""


class LaterMessages:
    """Puts messages that other versions left in quarantine back into their queues, if this one can read them."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine, self._after = quarantine, BEGIN

    def take_up(self) -> None:
        """Look at each entry that came since the last call; raises `redis.RedisError`."""
        found, self._after = self._quarantine.left_for_others(self._after)
        taken = sum(self._take(entry) for entry, raw in found if readable(raw))
        if taken:
            log.info("messages that an earlier version could not read are in their queues again", messages=taken)

    def _take(self, entry: str) -> bool:
        try:
            self._quarantine.requeue(entry)
        except (EntryNotFound, NotRequeued):
            # Another worker, or an operator, was faster.
            return False
        return True


def readable(raw: bytes) -> bool:
    """Return whether this version can run the message."""
    try:
        check_task(read(raw))
    except InvalidMessage:
        return False
    return True
