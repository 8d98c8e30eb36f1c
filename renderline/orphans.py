"""Orphan drafts: projects made for a render whose record does not know them, found by name and deleted.

They cost nothing, but they fill the account's project list. Only renders that had an unaccounted draft call, or ended
in the middle of their submission, are suspected, and only then is the list read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from renderline.accounts import AccountClients
from renderline.kinds import started_since
from renderline.ledger import Ledger
from renderline.ledger.record import is_unreadable
from renderline.studio import ProjectMissing

log = structlog.get_logger(__name__)

_TAG = re.compile(r"\[([0-9a-f]{32})(?:\.(\d+))?\]$")
_OVER = frozenset({"failed", "expired", "canceled"})
_BATCH = 200


@dataclass(frozen=True)
class OrphanHunt:
    """Looks for the drafts of suspected renders: an errand, which nobody else takes up within `lease` seconds."""

    ledger: Ledger
    lease: float

    def run(self, clients: AccountClients) -> bool:
        """Delete the orphans of a batch of suspects whose time has come; returns whether there may be more."""
        suspects = self.ledger.suspects(clients.name, limit=_BATCH, lease=self.lease)
        # v2 has neither drafts nor a list.
        if suspects and clients.v3:
            self._hunt(clients, {(one, attempt) for one, attempt, _ in suspects})
        if suspects:
            self.ledger.clear_suspects(clients.name, [member for _, _, member in suspects])
        return len(suspects) == _BATCH

    def _hunt(self, clients: AccountClients, suspects: set[tuple[str, int]]) -> int:
        tagged = []
        for project in clients.use_v3().list_projects():
            match = _TAG.search(project.name or "")
            if match and (match[1], int(match[2] or 1)) in suspects:
                tagged.append((project.id, match[1], int(match[2] or 1)))
        records = self.ledger.records([render_id for _, render_id, _ in tagged])
        orphans = [
            project_id
            for (project_id, _, attempt), record in zip(tagged, records, strict=True)
            if is_orphan(record, project_id, attempt) and self._untouched(clients, project_id)
        ]
        if orphans:
            clients.use_v3().delete_projects(orphans)
            log.info("orphan drafts deleted", account=clients.name, projects=len(orphans))
        return len(orphans)

    def _untouched(self, clients: AccountClients, project_id: str) -> bool:
        try:
            return not started_since(clients.use_v3().get_project(project_id), None)
        except ProjectMissing:
            return False


def is_orphan(record: Mapping[str, Any] | None, project_id: str, attempt: int) -> bool:
    """Return whether nobody will export this project: its render is gone, over, at another attempt or project."""
    if record is not None and is_unreadable(record):
        return False
    if record is None or record["attempt"] != attempt or record["state"] in _OVER:
        return True
    return record["project_id"] is not None and record["project_id"] != project_id
