"""Deletes what is left of forgotten renders outside the ledger: stored files, uploads, and projects at the vendor.

The ledger lists it, in the step that forgets a render. Each thing leaves the list once it is gone, so a worker that
dies in between loses nothing: another goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from redis import RedisError

from renderline.accounts.clients import AccountClients
from renderline.catalogue.pick_lists import PROJECTS
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import Ledger
from renderline.ledger.forgetting import Forgetting
from renderline.observer import calls_for
from renderline.studio import ProjectMissing
from renderline.uploads import UploadStore

log = structlog.get_logger(__name__)

EVERY: Final = 1.0
"""Seconds between two looks."""
_BATCH: Final = 20
_LEASE: Final = 60.0
"""Seconds until what could not be deleted is tried again."""
_NAMED_WITHIN: Final = 3600.0
"""Seconds for which an upload that came again is left for the render that is to name it."""


@dataclass(frozen=True)
class ForgottenFiles:
    """Deletes stored files and uploads of forgotten renders; several workers may do so at once."""

    ledger: Ledger
    folders: TenantFolders
    uploads: UploadStore | None = None
    lease: float = _LEASE
    clock: Callable[[], float] = time.time

    def run(self) -> int:
        """Delete what is due; returns how many renders had something left. What fails is due again after a minute."""
        steps, count = Forgetting(self.ledger), 0
        while ids := steps.due(limit=_BATCH, lease=self.lease):
            for one in ids:
                self._finish(steps, one)
            count += len(ids)
            if len(ids) < _BATCH:
                break
        return count

    def _finish(self, steps: Forgetting, render_id: str) -> None:
        record = self.ledger.record(render_id)
        for thing in steps.things(render_id) or [""]:
            what, _, about = thing.partition(" ")
            try:
                if record and not self._delete(steps, what, about, record):
                    continue
                steps.gone(render_id, thing)
            except RedisError:
                raise
            except Exception as error:
                # Each storage's library has errors of its own. This one may have the file's name, and so a person's.
                log.warning("not deleted yet, tried again", render_id=render_id, what=what, error=type(error).__name__)

    def _delete(self, steps: Forgetting, what: str, about: str, record: dict[str, Any]) -> bool:
        """Delete one thing; False if this worker cannot, or not yet."""
        tenant, account = record["tenant"], record["account"]
        if what == "file":
            if not self.folders.remove(about, tenant):
                return False
            steps.drop_claim(about)
        elif what == "upload":
            if self.uploads is None or self._came_again(self.uploads, tenant, about, record["times"].get("accepted")):
                return False
            if not steps.named_elsewhere(about, tenant=tenant):
                self.uploads.remove(tenant, about)
        elif what == "list":
            steps.drop_list(account, PROJECTS)
        return True

    def _came_again(self, uploads: UploadStore, tenant: str, sha256: str, accepted: str | None) -> bool:
        """Return whether somebody stored the file after this render was accepted, and may be about to name it."""
        stored = uploads.stored_at(tenant, sha256)
        if stored is None or accepted is None or stored <= datetime.fromisoformat(accepted).timestamp():
            return False
        return self.clock() < stored + _NAMED_WITHIN


@dataclass(frozen=True)
class ForgottenProjects:
    """Deletes the projects of forgotten renders at the vendor, if they carry our tag."""

    ledger: Ledger
    lease: float

    def run(self, clients: AccountClients) -> bool:
        """Delete a batch; returns whether there may be more. Raises a `StudioFault`: the others are left for later."""
        steps = Forgetting(self.ledger)
        due = steps.due_projects(clients.name, limit=_BATCH, lease=self.lease) if clients.v3 else []
        for render_id, project_id, member in due:
            with calls_for(render_id, 1):
                self._delete(clients, render_id, project_id)
            steps.project_gone(clients.name, render_id, member)
            steps.drop_list(clients.name, PROJECTS)
        return len(due) == _BATCH

    @staticmethod
    def _delete(clients: AccountClients, render_id: str, project_id: str) -> None:
        studio = clients.use_v3()
        try:
            project = studio.get_project(project_id)
            if project.id != project_id or f"[{render_id}" not in (project.name or ""):
                log.warning("project of a forgotten render not deleted: its name lacks our tag", render_id=render_id)
                return
            studio.delete_projects([project_id])
        except ProjectMissing:
            return
        log.info("project of a forgotten render deleted", render_id=render_id, project_id=project_id)
