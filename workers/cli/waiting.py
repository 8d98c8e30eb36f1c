"""Waiting for renders to end, with progress bars."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import click

from renderline.renders import FINAL
from workers.cli.bars import Bars
from workers.cli.errors import ExitCode, print_error
from workers.cli.session import Session

Record = Mapping[str, Any]

_REREAD = 5.0
"""Seconds after which every record is read again, in case events were lost."""

_GOOD = "delivered"

_QUICK_ATTEMPTS = 5
"""The first deliveries of a hook follow within a minute. A prompt does not wait for the later ones."""

_HOST_DOWN_FOR = 60.0
"""Seconds after which a prompt no longer waits for a host that does not answer."""

Until = Literal["ended", "stored"]

timeout_option = click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(min=0), help="Wait no longer than this, then exit with 4."
)

until_option = click.option(
    "--until",
    type=click.Choice(["ended", "stored"]),
    default="ended",
    help="With --wait: wait for the end, or only for the stored video.",
)


class RenderWait:
    """Waits until all renders have ended, or `timeout` seconds have passed (None: no limit).

    With `until` "stored" it waits for a render until its video is stored, or the render has ended without one.
    """

    def __init__(
        self, session: Session, ids: Sequence[str], *, timeout: float | None = None, until: Until = "ended"
    ) -> None:
        self._until, self._timeout = until, timeout
        self._held: dict[str, dict[int, str]] = {}
        self._queries, self._ledger = session.queries, session.ledger
        self._give_up = None if timeout is None else time.monotonic() + timeout
        self.records: dict[str, Record | None] = dict.fromkeys(ids)

    @property
    def open(self) -> list[str]:
        """Return the ids of the renders to wait for. A record that is gone counts as ended."""
        return [one for one, record in self.records.items() if record and not self._over(record)]

    @property
    def put_off(self) -> bool:
        """Whether the render only waits for hooks that keep failing, or whose host has not answered for long."""
        return all(_waits_long(self.records[one], self._held.get(one, {})) for one in self.open)

    @property
    def code(self) -> ExitCode:
        """Return the exit code for the renders' states."""
        if self.open:
            return ExitCode.TIMED_OUT
        good = all(record and (record["state"] == _GOOD or self._stored(record)) for record in self.records.values())
        return ExitCode.DONE if good else ExitCode.FAILED

    def why(self, render_id: str) -> str:
        """Return a sentence on why waiting for an open render stopped, and what to do."""
        start = f"render {render_id} has not ended: "
        if hosts := sorted(set(self._held.get(render_id, {}).values())):
            or_else = "" if self._until == "stored" else ", or wait for the video alone with --until stored"
            return f"{start}a hook waits for {', '.join(hosts)}, which does not answer: repair that endpoint{or_else}"
        if self._timeout is None:
            return start + "a hook keeps failing; it is retried later"
        return f"{start}waited {self._timeout:g} s"

    def changes(self) -> Iterator[list[Record]]:
        """Yield all records first, then those whose state or progress changed, as they change."""
        last = self._queries.last_event()
        yield self._read(list(self.records))
        reread_at = time.monotonic() + _REREAD
        while self.open and not (self._give_up is None and self.put_off):
            left = 1.0 if self._give_up is None else min(1.0, self._give_up - time.monotonic())
            if left <= 0:
                return
            touched = set()
            for event, fields in self._queries.events(after=last, block=left):
                last = event
                touched.add(fields["id"])
            if time.monotonic() >= reread_at:
                touched, reread_at = set(self.open), time.monotonic() + _REREAD
            wanted = [one for one in self.open if one in touched]
            if wanted:
                yield self._read(wanted)

    def _stored(self, record: Record) -> bool:
        return self._until == "stored" and record["stored_url"] is not None

    def _over(self, record: Record) -> bool:
        return record["state"] in FINAL or self._stored(record)

    def _read(self, ids: list[str]) -> list[Record]:
        found = dict(zip(ids, self._ledger.records(ids), strict=True))
        self.records.update(found)
        owing = [one for one in ids if (record := found[one]) and record["state"] == "completed"]
        self._held = {one: hooks for one, hooks in self._held.items() if one not in found}
        for hook in self._queries.held_hooks(owing):
            if hook.seconds > _HOST_DOWN_FOR:
                self._held.setdefault(hook.render_id, {})[hook.hook] = hook.host
        return [record for record in found.values() if record]


def _waits_long(record: Record | None, held: Mapping[int, str]) -> bool:
    if record is None or record["state"] != "completed":
        return False
    owed = {at: hook for at, hook in enumerate(record["hooks"]) if hook["state"] in ("pending", "retrying")}
    return bool(owed) and all(
        at in held or (hook["state"] == "retrying" and hook["attempts"] > _QUICK_ATTEMPTS) for at, hook in owed.items()
    )


def wait(session: Session, ids: Sequence[str], *, timeout: float | None, until: Until = "ended") -> RenderWait:
    """Wait for renders to end, with bars on a terminal, and return their records.

    Standard error says why waiting stopped for those that have not ended.
    """
    waited = RenderWait(session, ids, timeout=timeout, until=until)
    with Bars(session.progress_console, len(waited.records)) as bars:
        for records in waited.changes():
            bars.show(records)
    for one in waited.open:
        print_error(waited.why(one))
    return waited
