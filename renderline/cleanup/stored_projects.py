"""Stored project cleanup: deletes the vendor's copy of a stored video (`RENDERLINE_DELETE_STORED_PROJECTS`).

It deletes only our own projects: of a kind with drafts, with the render's tag in the name.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from renderline.accounts.clients import AccountClients
from renderline.ledger import Ledger
from renderline.observer import calls_for
from renderline.studio import ProjectMissing

log = structlog.get_logger(__name__)

_BATCH = 20


@dataclass(frozen=True)
class StoredProjectCleanup:
    """Deletes the projects of delivered renders; no other worker takes the same ones within `lease` seconds."""

    ledger: Ledger
    lease: float

    def run(self, clients: AccountClients) -> bool:
        """Delete a batch; returns whether there may be more. Raises a `StudioFault`: the others are left for later."""
        ids = self.ledger.claim_stored_projects(clients.name, limit=_BATCH, lease=self.lease)
        for render_id, record in zip(ids, self.ledger.records(ids), strict=True):
            # The record proves that the video is stored; without one nothing is deleted.
            if clients.v3 and record and record["state"] == "delivered" and record["stored_url"]:
                with calls_for(render_id, record["attempt"]):
                    self._delete(clients, render_id, record["project_id"])
            self.ledger.clear_stored_project(clients.name, render_id)
        return len(ids) == _BATCH

    def _delete(self, clients: AccountClients, render_id: str, project_id: str) -> None:
        try:
            project = clients.use_v3().get_project(project_id)
        except ProjectMissing:
            return
        if project.id != project_id or f"[{render_id}" not in (project.name or ""):
            log.warning("stored project not deleted: its name lacks our tag", render_id=render_id)
            return
        clients.use_v3().delete_projects([project_id])
        self.ledger.project_deleted(clients.name, project_id)
        log.info("stored project deleted", render_id=render_id, project_id=project_id)
