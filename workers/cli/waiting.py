"""Waiting for renders to end, by their events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import click

from renderline.renders import FINAL, State
from workers.cli.errors import ExitCode, print_error
from workers.cli.progress import progress_of
from workers.cli.session import Session

Record = Mapping[str, Any]

_REREAD_HOOKS = 5.0
"""Seconds after which the records of renders with pending hooks are read again: hooks have no events."""

_REREAD_ALL = 60.0
"""Seconds after which every open record is read again, in case events were lost."""

_AT_ONCE = 500
"""How many records are read in one round trip."""

_EVENTS = 1000
"""How many events are read in one round trip."""

_GATHER = 0.1
"""Seconds in which events gather before they are read."""

_NAMED = 3
"""Of so many renders the ids are in the command that waits for them again."""

_SHOWN_OPEN = 20
"""For so many renders that have not ended standard error says why; of more for one alone."""

_KEPT = (
    "id",
    "name",
    "state",
    "progress",
    "download_url",
    "stored_url",
    "credit",
    "hooks",
    "error",
    "note",
    "warnings",
)

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
        """What is known of each render: the fields of its record that `_KEPT` names, None if it is gone."""
        self._open: dict[str, None] = dict.fromkeys(self.records)

    @property
    def open(self) -> list[str]:
        """Return the ids of the renders to wait for. A record that is gone counts as ended."""
        return list(self._open)

    @property
    def put_off(self) -> bool:
        """Whether the render only waits for hooks that keep failing, or whose host has not answered for long."""
        return all(_waits_long(self.records[one], self._held.get(one, {})) for one in self._open)

    @property
    def stored(self) -> set[str]:
        """Return the renders whose stored video is what was waited for."""
        return {one for one, record in self.records.items() if record and self._stored(record)}

    @property
    def code(self) -> ExitCode:
        """Return the exit code for the renders' states."""
        if self._open:
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
        """Yield all records first, in parts, then those whose state or progress changed, as they change.

        About once a second it yields an empty list if nothing has changed. States and progress are those of the event
        stream. Records are read again for what events do not tell: how a render ended, and how its hooks are.
        """
        last = self._queries.last_event()
        yield from self._read(list(self.records))
        hooks_at, all_at = time.monotonic() + _REREAD_HOOKS, time.monotonic() + _REREAD_ALL
        while self._open and not (self._give_up is None and self.put_off):
            left = 1.0 if self._give_up is None else min(1.0, self._give_up - time.monotonic())
            if left <= 0:
                return
            newest: dict[str, Mapping[str, str]] = {}
            before, count = last, 0
            for event, fields in self._queries.events(after=last, block=left, limit=_EVENTS):
                last, count = event, count + 1
                if fields["id"] in self._open:
                    newest[fields["id"]] = fields
            wanted = {one for one, fields in newest.items() if not self._take(one, fields)}
            changed = [record for one in newest if one not in wanted and (record := self.records[one])]
            now = time.monotonic()
            if now >= all_at or (count == _EVENTS and self._queries.trimmed(before)):
                wanted.update(self._open)
                hooks_at, all_at = now + _REREAD_HOOKS, now + _REREAD_ALL
            elif now >= hooks_at:
                wanted.update(one for one in self._open if _state(self.records[one]) == State.COMPLETED)
                hooks_at = now + _REREAD_HOOKS
            yield changed
            yield from self._read([one for one in self.records if one in wanted] if wanted else [])
            if 0 < count < _EVENTS:
                # More events at once are less work for all.
                time.sleep(_GATHER)

    def _take(self, render_id: str, event: Mapping[str, str]) -> bool:
        """Take in an event of an open render; False if its record says more than the event."""
        record = self.records[render_id]
        if record is None or event["state"] in (State.COMPLETED, *FINAL):
            return False
        news = {"state": event["state"], "progress": float(event.get("progress") or 0)}
        self.records[render_id] = {**record, **news}
        return True

    def _stored(self, record: Record) -> bool:
        return self._until == "stored" and record["stored_url"] is not None

    def _over(self, record: Record) -> bool:
        return record["state"] in FINAL or self._stored(record)

    def _read(self, ids: Sequence[str]) -> Iterator[list[Record]]:
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            found = dict(zip(some, map(_kept, self._ledger.records(some)), strict=True))
            self.records.update(found)
            owing = [one for one in some if _state(found[one]) == State.COMPLETED]
            self._held = {one: hooks for one, hooks in self._held.items() if one not in found}
            for hook in self._queries.held_hooks(owing):
                if hook.seconds > _HOST_DOWN_FOR:
                    self._held.setdefault(hook.render_id, {})[hook.hook] = hook.host
            for one, record in found.items():
                if record is None or self._over(record):
                    self._open.pop(one, None)
                else:
                    self._open[one] = None
            yield [record for record in found.values() if record]


def _kept(record: Record | None) -> Record | None:
    # Of a hundred thousand renders the whole records would be half a gigabyte.
    return None if record is None else {name: record[name] for name in _KEPT}


def _state(record: Record | None) -> str:
    return "" if record is None else str(record["state"])


def _waits_long(record: Record | None, held: Mapping[int, str]) -> bool:
    if record is None or record["state"] != "completed":
        return False
    owed = {at: hook for at, hook in enumerate(record["hooks"]) if hook["state"] in ("pending", "retrying")}
    return bool(owed) and all(
        at in held or (hook["state"] == "retrying" and hook["attempts"] > _QUICK_ATTEMPTS) for at, hook in owed.items()
    )


def wait(
    session: Session,
    ids: Sequence[str],
    *,
    timeout: float | None,
    until: Until = "ended",
    again: str = "",
    seen: Callable[[Sequence[Record]], None] = lambda _: None,
) -> RenderWait:
    """Wait for renders to end, and show how far they are; standard error says why waiting stopped for the others.

    `seen` gets changed records as they come. On Ctrl-C standard error says what goes on, and that `again` is the
    command that waits for it.
    """
    waited = RenderWait(session, ids, timeout=timeout, until=until)
    try:
        with progress_of(session.progress_console, len(waited.records), silent=session.as_json) as shown:
            for records in waited.changes():
                shown.show(records)
                seen(records)
    except KeyboardInterrupt:
        print_error(_goes_on(waited, again))
        raise
    left = waited.open
    for one in left[:_SHOWN_OPEN] if len(left) <= _SHOWN_OPEN else left[:1]:
        print_error(waited.why(one))
    if len(left) > _SHOWN_OPEN:
        print_error(f"{len(left) - 1} other renders have not ended either")
    return waited


def _goes_on(waited: RenderWait, again: str) -> str:
    count = len(waited.open)
    if not count:
        return "interrupted; every render has ended"
    ids = " ".join(waited.open) if count <= _NAMED else ""
    again = again or (f"renderline status --wait {ids}" if ids else "renderline watch")
    return f"{'1 render goes' if count == 1 else f'{count} renders go'} on without this command; to watch: {again}"
