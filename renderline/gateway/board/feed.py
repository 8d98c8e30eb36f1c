"""The changes of renders for all open boards of a process: read once from the events of the ledger, in batches."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from redis import RedisError

from renderline.ledger import Queries
from renderline.tenants import DEFAULT

log = structlog.get_logger(__name__)

INTERVAL: Final = 0.25
"""Seconds between batches: a board changes four times a second at most."""
_READ: Final = 2000
_BLOCK: Final = 1.0
_KEPT: Final = 40
"""Batches that are kept for a reader that is late."""
MOST: Final = 500
"""Changes in a batch that are sent one by one. After more of them a board reads its rows anew."""
_IDLE: Final = 5.0

Change = tuple[str, str, float, str]
"""Render id, state, progress and tenant."""


@dataclass(frozen=True)
class Batch:
    """The newest change of each render in a quarter of a second."""

    number: int
    changes: tuple[Change, ...]
    _texts: dict[str | None, str] = field(default_factory=dict, repr=False)

    def text(self, tenant: str | None) -> str:
        """Return what a board of this tenant (None: of all) is sent, as JSON: `[[id, state, progress], ...]`.

        Empty: nothing. `null`: too many to be listed.
        """
        if tenant not in self._texts:
            own = [one[:3] for one in self.changes if tenant is None or one[3] == tenant]
            text = "" if not own else "null" if len(own) > MOST else json.dumps(own, separators=(",", ":"))
            self._texts[tenant] = text
        return self._texts[tenant]


class Feed:
    """Reads the ledger's events in a thread of its own while boards are open, once for all of them."""

    def __init__(self, queries: Queries, *, interval: float = INTERVAL) -> None:
        self._queries, self._interval = queries, interval
        self._changed = threading.Condition()
        self._batches: deque[Batch] = deque(maxlen=_KEPT)
        self._number = 0
        self._readers = 0
        self._running = self._failed = False

    def follow(self, tenant: str | None, goes_on: Callable[[], bool]) -> Iterator[str | None]:
        """Yield the text of each batch from now on, None about once a second without one, while `goes_on` returns true.

        It ends when Redis is unavailable. `null` says that the reader missed changes.
        """
        with self._changed:
            self._readers += 1
            seen = self._number
            self._start()
        try:
            while goes_on():
                with self._changed:
                    self._changed.wait_for(lambda: self._number > seen or self._failed, _BLOCK)  # noqa: B023
                    if self._failed:
                        return
                    fresh = [batch for batch in self._batches if batch.number > seen]
                    missed = self._number - seen > len(fresh)
                    seen = self._number
                yield from filter(None, ["null"] if missed else [batch.text(tenant) for batch in fresh])
                if not fresh:
                    yield None
        finally:
            with self._changed:
                self._readers -= 1

    def _start(self) -> None:
        if not self._running:
            self._running, self._failed = True, False
            threading.Thread(target=self._read, name="board feed", daemon=True).start()

    def _read(self) -> None:
        """Read events until no board has been open for a while, or Redis fails: then the boards connect anew."""
        idle_since = time.monotonic()
        try:
            after = self._queries.last_event()
            while True:
                began = time.monotonic()
                after, changes = self._next(after)
                with self._changed:
                    if self._readers:
                        idle_since = began
                    elif began - idle_since > _IDLE:
                        self._running = False
                        return
                    if changes:
                        self._number += 1
                        self._batches.append(Batch(self._number, tuple(changes.values())))
                        self._changed.notify_all()
                time.sleep(max(0.0, self._interval - (time.monotonic() - began)))
        except RedisError as error:
            log.warning("the board's events ended: Redis is unavailable", error=type(error).__name__)
        except Exception:
            log.exception("the board's events ended")
        with self._changed:
            self._running, self._failed = False, True
            self._changed.notify_all()

    def _next(self, after: str) -> tuple[str, dict[str, Change]]:
        changes: dict[str, Change] = {}
        block = _BLOCK
        while entries := list(self._queries.events(after=after, block=block, limit=_READ)):
            for event_id, fields in entries:
                after = event_id
                changes[fields["id"]] = _change(fields)
            if len(entries) < _READ:
                break
            block = 0.001
        return after, changes


def _change(fields: dict[str, Any]) -> Change:
    progress = round(float(fields.get("progress") or 0), 1)
    return fields["id"], fields["state"], progress, fields.get("tenant", DEFAULT)
