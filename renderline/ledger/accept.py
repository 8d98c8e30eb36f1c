"""Accepting renders: each is recorded once; many in one round trip, in one transaction if wanted."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis import WatchError
from redis.client import Pipeline

from renderline.ledger.indexed import flat, texts_of, with_texts
from renderline.ledger.labels import shown_json, shown_labels
from renderline.ledger.quota import UNLIMITED, Quota, QuotaExceeded
from renderline.ledger.schema import version_of
from renderline.ledger.steps import Steps
from renderline.observer import Transition
from renderline.renders import BEGIN, State
from renderline.tenants import DEFAULT

_AWAITED = frozenset({"download"})
"""Hook types that the hooks listed after them wait for, because they report the outcome (`stored_url`)."""


class KeyConflict(ValueError):
    """The idempotency key was used before with another request."""


class AcceptResult(NamedTuple):
    """The result of one entry."""

    status: str
    """`new`, `known`, `conflict`, `quota`, or `left`: not recorded, because another entry of the transaction is a
    conflict.
    """
    due: bool = False
    """Whether to send its submission now. Otherwise it waits for its turn, or was sent before."""
    over: QuotaExceeded | None = None
    """Why it exceeds the quota of its tenant."""


@dataclass(frozen=True)
class Entry:
    """A render to record. `meta` is its fixed data, `body` the stored request (JSON)."""

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
    quota: Quota = UNLIMITED
    """The quota of its tenant."""
    draft: bool = False
    """Whether it ends with a draft, which is never exported."""
    request_id: str = ""
    """The id of the request with which it came; empty: none."""

    labels: tuple[str, ...] = ()
    """The names of the metadata whose values are indexed."""
    level: int = 0
    """The level of records (`renderline.ledger.schema.LEVEL`) that a program needs to handle it."""

    @property
    def tenant_name(self) -> str:
        """The tenant as the scripts call it: the default one has no name there."""
        return "" if self.tenant == DEFAULT else self.tenant

    @property
    def transition(self) -> Transition:
        """What observers learn of its acceptance."""
        return Transition(
            render_id=self.render_id,
            state=State.ACCEPTED,
            was=None,
            attempt=1,
            kind=self.kind,
            account=self.account,
            tenant=self.tenant,
            seconds=None,
            request_id=self.request_id or None,
            labels=self._shown,
        )

    @property
    def _shown(self) -> dict[str, str]:
        return shown_labels(self.meta.get("metadata", {}), self.labels)

    def arguments(self, *, batch: str = "") -> tuple[Any, ...]:
        """Return the arguments of the step `accept`; `batch` names its transaction."""
        hooks = self.meta.get("hooks", ())
        awaited = "".join(f"{index}," for index, hook in enumerate(hooks) if hook.get("type") in _AWAITED)
        texts = texts_of(self.meta.get("name"), self.meta.get("metadata", {}), self.labels)
        fixed = with_texts(self.meta, texts)
        fields = (self.render_id, self.kind, self.account, self.priority, self.fingerprint, self.deadline)
        stage = BEGIN if self.draft else ""
        return (
            *(*fields, len(hooks), fixed, self.body, f",{awaited}"),
            *(self.tenant_name, self.by, *self.quota.arguments(), batch, int(self.draft), stage, self.request_id),
            *(
                shown_json(self._shown),
                json.dumps(self.labels),
                version_of(self.level) if self.level else "",
                *flat(texts),
            ),
        )


class AcceptSteps(Steps):
    """Records renders."""

    def accept(self, entry: Entry) -> AcceptResult:
        """Record a render once.

        Raises `KeyConflict` if its id belongs to another request, `QuotaExceeded` if it is new and exceeds the quota.
        """
        result = self._result(entry, self.run("accept", *entry.arguments()))
        if result.status == "conflict":
            raise KeyConflict(f"render {entry.render_id} was accepted with another request under the same key")
        if result.over:
            raise result.over
        return result

    def accept_all(self, entries: Sequence[Entry], *, together: bool) -> list[AcceptResult]:
        """Record many renders in one round trip. A conflict or an exceeded quota is in its result, and is not raised.

        `together`: all in one transaction. If one is a `conflict`, none is recorded, and the others are `left`. If they
        exceed a quota together, none is recorded, and `QuotaExceeded` is raised.
        """
        if together:
            return self._accept_together(entries)
        with self.redis.pipeline(transaction=False) as pipe:
            for entry in entries:
                self.run("accept", *entry.arguments(), client=pipe)
            return [self._result(entry, answer) for entry, answer in zip(entries, pipe.execute(), strict=True)]

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
                    return self._run_together(entries, pipe)
                except WatchError:
                    continue

    def _run_together(self, entries: Sequence[Entry], pipe: Pipeline) -> list[AcceptResult]:
        batch = uuid.uuid4().hex
        limited: dict[str, list[Entry]] = {}
        for entry in entries:
            if entry.quota != UNLIMITED:
                limited.setdefault(entry.tenant, []).append(entry)
        for own in limited.values():
            ids = json.dumps([entry.render_id for entry in own])
            self.run("quota_together", batch, own[0].tenant_name, *own[0].quota.arguments(), ids, client=pipe)
        for entry in entries:
            self.run("accept", *entry.arguments(batch=batch if limited else ""), client=pipe)
        answers = pipe.execute()
        for tenant, answer in zip(limited, answers, strict=False):
            if answer:
                raise QuotaExceeded.of(str(answer), tenant=tenant)
        return [self._result(entry, answer) for entry, answer in zip(entries, answers[len(limited) :], strict=True)]

    def _result(self, entry: Entry, answer: Sequence[Any]) -> AcceptResult:
        result = _result(entry, answer)
        if result.status == "new":
            self.observer.transition(entry.transition)
        return result

    def _fingerprints(self, names: Sequence[str]) -> list[str | None]:
        with self.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(name, "fingerprint")
            return pipe.execute()


def _result(entry: Entry, answer: Sequence[Any]) -> AcceptResult:
    status, state, due = answer
    over = QuotaExceeded.of(str(state), tenant=entry.tenant) if status == "quota" else None
    return AcceptResult(str(status), bool(due), over)


def _conflicts(entries: Sequence[Entry], fingerprints: Sequence[str | None]) -> list[bool]:
    """Return for each entry whether its id belongs to another request: a recorded one, or an earlier entry."""
    known: dict[str, str] = {}
    found = []
    for entry, fingerprint in zip(entries, fingerprints, strict=True):
        found.append(known.setdefault(entry.render_id, fingerprint or entry.fingerprint) != entry.fingerprint)
    return found
