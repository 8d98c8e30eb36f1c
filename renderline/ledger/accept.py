"""Accepting renders: each is recorded once; many in one round trip, in one transaction if wanted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import WatchError
from redis.client import Pipeline

from renderline.ledger.steps import Steps
from renderline.tenants import DEFAULT

_AWAITED = frozenset({"download"})
"""Hook types that the hooks listed after them wait for, because they report the outcome (`stored_url`)."""


class KeyConflict(ValueError):
    """The idempotency key was used before with another request."""


class AcceptResult(NamedTuple):
    """The result of one entry."""

    status: str
    """`new`, `known`, `conflict`, or `left`: not recorded, because another entry of the transaction is a conflict."""
    due: bool = False
    """Whether to send its submission now. Otherwise it waits for its turn, or was sent before."""


@dataclass(frozen=True)
class Entry:
    """A render to record. `meta` holds `name`, `hooks` and `metadata`; `body` is the stored request (JSON)."""

    render_id: str
    kind: str
    account: str
    priority: str
    deadline: float
    meta: dict[str, Any]
    body: str
    fingerprint: str
    tenant: str = DEFAULT
    by: str = ""
    """Who had it accepted."""

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments of the step `accept`."""
        hooks = self.meta.get("hooks", ())
        awaited = "".join(f"{index}," for index, hook in enumerate(hooks) if hook.get("type") in _AWAITED)
        fixed = json.dumps(self.meta, separators=(",", ":"))
        fields = (self.render_id, self.kind, self.account, self.priority, self.fingerprint, self.deadline)
        tenant = "" if self.tenant == DEFAULT else self.tenant
        return (*fields, len(hooks), fixed, self.body, f",{awaited}", tenant, self.by)


class AcceptSteps(Steps):
    """Records renders."""

    def accept(self, entry: Entry) -> AcceptResult:
        """Record a render once. Raises `KeyConflict` if its id belongs to another request."""
        status, _, due = self.run("accept", *entry.arguments())
        if status == "conflict":
            raise KeyConflict(f"render {entry.render_id} was accepted with another request under the same key")
        return AcceptResult(status, bool(due))

    def accept_all(self, entries: Sequence[Entry], *, together: bool) -> list[AcceptResult]:
        """Record many renders in one round trip. A conflict is in its result, and is not raised.

        `together`: all in one transaction. If one is a `conflict`, none is recorded, and the others are `left`.
        """
        if together:
            return self._accept_together(entries)
        with self.redis.pipeline(transaction=False) as pipe:
            return self._run_all(entries, pipe)

    def _accept_together(self, entries: Sequence[Entry]) -> list[AcceptResult]:
        names = [self.keys.render(entry.render_id) for entry in entries]
        while True:
            with self.redis.pipeline(transaction=True) as pipe:
                pipe.watch(*names)
                # Read over another connection: on the watching one each read would be a round trip of its own.
                conflicts = _conflicts(entries, self._fingerprints(names))
                if any(conflicts):
                    return [AcceptResult("conflict" if conflict else "left") for conflict in conflicts]
                pipe.multi()
                try:
                    return self._run_all(entries, pipe)
                except WatchError:
                    continue

    def _run_all(self, entries: Sequence[Entry], pipe: Pipeline) -> list[AcceptResult]:
        for entry in entries:
            self.run("accept", *entry.arguments(), client=pipe)
        return [AcceptResult(str(status), bool(due)) for status, _, due in pipe.execute()]

    def _fingerprints(self, names: Sequence[str]) -> list[str | None]:
        with self.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(name, "fingerprint")
            return pipe.execute()


def _conflicts(entries: Sequence[Entry], fingerprints: Sequence[str | None]) -> list[bool]:
    """Return for each entry whether its id belongs to another request: a recorded one, or an earlier entry."""
    known: dict[str, str] = {}
    found = []
    for entry, fingerprint in zip(entries, fingerprints, strict=True):
        found.append(known.setdefault(entry.render_id, fingerprint or entry.fingerprint) != entry.fingerprint)
    return found
