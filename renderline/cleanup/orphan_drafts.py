"""Orphan sweep: deletes drafts that no render uses.

An orphan draft costs nothing, but fills the account's project list. Two things leave one: a draft call with an unknown
outcome, and a render that ended during its submission. The ledger marks these renders; the list is read only for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from renderline.accounts.clients import AccountClients
from renderline.drafts import TaggedProject, tagged
from renderline.kinds import KINDS, started_since
from renderline.ledger import Ledger
from renderline.ledger.record import is_unreadable
from renderline.studio import ProjectMissing

log = structlog.get_logger(__name__)

_ENDED = frozenset({"failed", "expired", "canceled"})
_BATCH = 200


@dataclass(frozen=True)
class OrphanSweep:
    """Finds and deletes the orphan drafts of marked renders; no other worker takes the same ones in `lease` seconds."""

    ledger: Ledger
    lease: float

    def run(self, clients: AccountClients) -> bool:
        """Delete the orphans of a batch of marked renders that are due; returns whether there may be more."""
        marked = self.ledger.claim_orphan_drafts(clients.name, limit=_BATCH, lease=self.lease)
        # v2 has neither drafts nor a list.
        if marked and clients.v3:
            self._sweep(clients, {(one, attempt) for one, attempt, _ in marked})
        if marked:
            self.ledger.clear_orphan_drafts(clients.name, [member for _, _, member in marked])
        return len(marked) == _BATCH

    def _sweep(self, clients: AccountClients, marked: set[tuple[str, int]]) -> int:
        drafts = [one for one in tagged(clients.use_v3().list_projects()) if (one.render_id, one.attempt) in marked]
        ids = [draft.render_id for draft in drafts]
        known = zip(drafts, self.ledger.records(ids), self.ledger.drafts(ids), strict=True)
        found = {draft.project_id for draft, record, current in known if is_orphan(record, draft, current)}
        found |= self._abandoned(marked)
        orphans = [project_id for project_id in sorted(found) if self._untouched(clients, project_id)]
        if orphans:
            clients.use_v3().delete_projects(orphans)
            log.info("orphan drafts deleted", account=clients.name, projects=len(orphans))
        return len(orphans)

    def _abandoned(self, marked: set[tuple[str, int]]) -> set[str]:
        """Return the drafts in the records of marked renders, because the list may not show drafts."""
        records = self.ledger.records([render_id for render_id, _ in marked])
        return {
            record["project_id"]
            for record, (_, attempt) in zip(records, marked, strict=True)
            if record and not is_unreadable(record) and record["project_id"] and record["attempt"] == attempt
            if record["state"] in _ENDED and record["kind"] in KINDS and KINDS[record["kind"]].owns_project
        }

    def _untouched(self, clients: AccountClients, project_id: str) -> bool:
        try:
            return not started_since(clients.use_v3().get_project(project_id), None)
        except ProjectMissing:
            return False


def is_orphan(record: Mapping[str, Any] | None, draft: TaggedProject, current: int) -> bool:
    """Return whether nobody will export this draft: its render is gone, has ended, or uses another draft.

    `current` is the number of the render's current draft.
    """
    if record is not None and is_unreadable(record):
        return False
    if record is None or record["attempt"] != draft.attempt or record["state"] in _ENDED or draft.number < current:
        return True
    return record["project_id"] is not None and record["project_id"] != draft.project_id
