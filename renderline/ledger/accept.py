"""Records renders at acceptance: one or many in one round trip, or all of them or none in one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import Redis, WatchError

from renderline.ledger.keys import Keys

_AWAITED = frozenset({"download"})
"""Kinds of hooks that wait for the earlier ones: their bodies contain the outcome of those (`stored_url`)."""


class AcceptResult(NamedTuple):
    """The result of one entry."""

    status: str
    """`new`, `known`, `conflict`, or `left` (not recorded, because another entry of the transaction is a conflict)."""
    due: bool = False
    """Whether to send its submission now. If not, it waits for its turn or was sent already."""


@dataclass(frozen=True)
class Entry:
    """A render to be recorded. `meta` holds `name`, `hooks` and `metadata`; `body` is the stored request (JSON)."""

    render_id: str
    kind: str
    account: str
    priority: str
    deadline: float
    meta: dict[str, Any]
    body: str
    fingerprint: str

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments of the step `accept`."""
        hooks = self.meta.get("hooks", ())
        awaited = "".join(f"{index}," for index, hook in enumerate(hooks) if hook.get("type") in _AWAITED)
        fixed = json.dumps(self.meta, separators=(",", ":"))
        fields = (self.render_id, self.kind, self.account, self.priority, self.fingerprint, self.deadline)
        return (*fields, len(hooks), fixed, self.body, f",{awaited}")


def record_each(redis: Redis, run: Callable[..., Any], entries: Sequence[Entry]) -> list[AcceptResult]:
    """Record the entries in one round trip."""
    with redis.pipeline(transaction=False) as pipe:
        for entry in entries:
            run("accept", *entry.arguments(), client=pipe)
        return [AcceptResult(str(status), bool(due)) for status, _, due in pipe.execute()]


def record_together(
    redis: Redis, run: Callable[..., Any], entries: Sequence[Entry], *, keys: Keys
) -> list[AcceptResult]:
    """Record all entries in one transaction. If one is a `conflict`, none is recorded and the others are `left`."""
    names = [keys.render(entry.render_id) for entry in entries]
    while True:
        with redis.pipeline(transaction=True) as pipe:
            pipe.watch(*names)
            # Read over another connection: on the watching one, each read would be a round trip of its own.
            conflicts = _conflicts(entries, _fingerprints(redis, names))
            if any(conflicts):
                return [AcceptResult("conflict" if conflict else "left") for conflict in conflicts]
            pipe.multi()
            for entry in entries:
                run("accept", *entry.arguments(), client=pipe)
            try:
                return [AcceptResult(str(status), bool(due)) for status, _, due in pipe.execute()]
            except WatchError:
                continue


def _fingerprints(redis: Redis, keys: Sequence[str]) -> list[str | None]:
    with redis.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hget(key, "fingerprint")
        return pipe.execute()


def _conflicts(entries: Sequence[Entry], held: Sequence[str | None]) -> list[bool]:
    known: dict[str, str] = {}
    found = []
    for entry, fingerprint in zip(entries, held, strict=True):
        found.append(known.setdefault(entry.render_id, fingerprint or entry.fingerprint) != entry.fingerprint)
    return found
