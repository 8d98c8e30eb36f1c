"""What the vendor has of our renders: its project list, read once, and single projects. Free calls only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from renderline.accounts.clients import AccountClients
from renderline.drafts import TaggedProject, is_earlier, tagged_by_render
from renderline.kinds import KINDS, started_since
from renderline.polling.evidence import read_progress, shows_start
from renderline.studio import PayloadRefused, ProjectMissing

Fate = Literal["begun", "untouched", "gone", "unknown"]
"""Of a project: its render has begun; it shows no sign of one; the vendor has it no more; its kind cannot be read."""


@dataclass(frozen=True)
class VendorView:
    """The projects of an account that carry our tag, by render; None: the account has no list that can be read."""

    clients: AccountClients
    by_render: dict[str, list[TaggedProject]] | None
    _ids: frozenset[str] = frozenset()
    _fates: dict[str, Fate] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, clients: AccountClients) -> VendorView:
        """Read the project list. Raises a `StudioFault` if the vendor does not answer."""
        if not clients.v3:
            return cls(clients, None)
        try:
            rows = clients.use_v3().list_projects()
        except PayloadRefused:
            return cls(clients, None)
        return cls(clients, tagged_by_render(rows), frozenset(row.id for row in rows))

    def of(self, render_id: str) -> list[TaggedProject]:
        """Return the projects that carry the tag of a render, the newest last."""
        found = (self.by_render or {}).get(render_id, [])
        return sorted(found, key=lambda one: (one.attempt, one.number, one.rendered))

    def earlier(self, project: TaggedProject, accepted_at: float | None) -> bool:
        """Return whether a project is gone, or older than the attempt; raises a `StudioFault` if nobody answers."""
        try:
            return is_earlier(self.clients, project.project_id, accepted_at)
        except ProjectMissing:
            return True

    def fate(self, kind_name: str, project_id: str) -> Fate:
        """Return what became of a project; raises a `StudioFault` if the vendor does not answer."""
        if project_id not in self._fates:
            self._fates[project_id] = self._fate(kind_name, project_id)
        return self._fates[project_id]

    def _fate(self, kind_name: str, project_id: str) -> Fate:
        kind = KINDS[kind_name]
        if kind.inspect is None:
            return "unknown"
        try:
            if started_since(kind.inspect(self.clients, project_id), None):
                return "begun"
        except ProjectMissing:
            return "gone"
        return "begun" if shows_start(read_progress(kind, self.clients, project_id, {}), None) else "untouched"
