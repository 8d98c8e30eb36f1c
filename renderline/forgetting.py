"""Forgets renders: their content leaves the ledger in one step, their files and projects follow.

What is kept of a render is a tombstone, so that its idempotency key stays spent and the totals stay right. The ledger's
step lists what lies outside it; workers delete that, and try again until it is done (`renderline/cleanup/`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from renderline.kinds import KINDS, named_files
from renderline.ledger import Audit, Timeline
from renderline.ledger.forgetting import Forgetting
from renderline.operations import NewerRecord, OperationRefused, Operations, RenderNotFound, WrongState
from renderline.renders import FINAL
from renderline.requests import load_body_json
from renderline.tenants import Actor
from renderline.uploads import parse

_AGAIN = 3
"""How often a render that is retried meanwhile is read anew."""


class _NotEnded(WrongState):
    def __init__(self, state: str) -> None:
        super().__init__(state, FINAL, "only one that has ended can be forgotten; cancel it first")


class HookUnderWay(WrongState):
    """A hook of the render may be under way: it would store or send what is to be forgotten."""

    def __init__(self, state: str, seconds: float) -> None:
        super().__init__(
            state, FINAL, f"a hook of it is under way; forget it again in {max(1, round(seconds + 0.5))} s"
        )
        self.seconds = seconds


@dataclass(frozen=True)
class Forgotten:
    """A forgotten render, and what workers have left to delete of it."""

    record: dict[str, Any]
    left: list[str]
    """`file <url>`, `upload <sha256>`, `project <id>`, `list`; none: everything is gone."""
    kept: str = ""
    """Why the vendor's project stays, although its deletion was asked for."""


@dataclass(frozen=True)
class Forgetter:
    """Forgets renders for people. To an actor of one tenant the renders of the others do not exist."""

    operations: Operations

    def forget(self, render_id: str, *, actor: Actor, vendor: bool = False, dry_run: bool = False) -> Forgotten:
        """Forget a render that has ended; safe to repeat, which tells what is left.

        `vendor`: its projects there are deleted too. Raises `RenderNotFound`, or `WrongState` for one that has not
        ended, which has to be canceled first: what the vendor has begun may still cost. `dry_run` changes nothing and
        lists what would be deleted.
        """
        ledger = self.operations.ledger
        if dry_run:
            return self._look(render_id, actor, vendor)
        audit = Audit(ledger.redis, prefix=ledger.prefix)
        with audit.noting("forget", actor, f"render {render_id}", refusals=OperationRefused):
            done = self._forget(render_id, actor, vendor)
        Timeline(ledger).operation(render_id, "forget", by=str(actor))
        return done

    def _forget(self, render_id: str, actor: Actor, vendor: bool) -> Forgotten:
        steps = Forgetting(self.operations.ledger)
        for _ in range(_AGAIN):
            record = self.operations.record(render_id, actor=actor)
            projects = vendor and _owns_project(record)
            step = steps.forget(record, projects=projects, uploads=self._uploads(steps, record))
            if step.status in ("done", "again"):
                left = steps.left(render_id, account=record["account"])
                record = self.operations.record(render_id, actor=actor)
                return Forgotten(record, left, _kept(record) if vendor and not projects else "")
            if not step.status:
                raise RenderNotFound(render_id)
            if step.status == "newer":
                raise NewerRecord(self.operations.ledger.newer_version(render_id) or "")
            if step.status == "hook":
                raise HookUnderWay(record["state"], float(step.detail))
            if step.detail not in FINAL:
                break
        raise _NotEnded(record["state"])

    def _look(self, render_id: str, actor: Actor, vendor: bool) -> Forgotten:
        record = self.operations.record(render_id, actor=actor)
        if needs := self.operations.ledger.newer_version(render_id):
            raise NewerRecord(needs)
        if record["state"] not in FINAL:
            raise _NotEnded(record["state"])
        steps = Forgetting(self.operations.ledger)
        files = [record["stored_url"], *(one["stored_url"] for one in record["outputs"])]
        left = [f"file {url}" for url in dict.fromkeys(files) if url]
        if record["forgotten"]:
            left = steps.left(render_id, account=record["account"])
        left += [f"upload {sha256}" for sha256 in self._uploads(steps, record)]
        if vendor and _owns_project(record):
            projects = [record["project_id"], *(one["project_id"] for one in record["history"])]
            left += [f"project {one}" for one in dict.fromkeys(projects) if one]
        return Forgotten(record, left, _kept(record) if vendor and not _owns_project(record) else "")

    @staticmethod
    def _uploads(steps: Forgetting, record: dict[str, Any]) -> list[str]:
        kind, body = KINDS.get(record["kind"]), steps.body(record["id"])
        if kind is None or not kind.file_fields or body is None:
            return []
        try:
            found = [parse(file.reference) for file in named_files(kind, load_body_json(body))]
        except (ValueError, LookupError, TypeError):
            # A body that cannot be read names nothing that could be found.
            return []
        return sorted({reference.sha256 for reference in found if reference})


def _owns_project(record: dict[str, Any]) -> bool:
    kind = KINDS.get(record["kind"])
    return bool(kind and kind.owns_project)


def _kept(record: dict[str, Any]) -> str:
    return f"a render of kind {record['kind']} has no project of its own to delete"
