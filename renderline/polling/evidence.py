"""Evidence that the vendor started a render whose paid call was not answered."""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

from renderline.accounts.clients import AccountClients
from renderline.drafts import find_by_name
from renderline.kinds import KINDS, started_since
from renderline.ledger import DuePoll
from renderline.studio import PayloadRefused, Progress, Project, ProjectMissing, ProjectSummary, VendorUnavailable

_LIST_KEPT = 5.0
"""Seconds for which a project list is used for other renders of the account."""
_RENDERED = frozenset({"exported", "complete"})
"""States in the project list that mean a rendered project, with or without its URL."""


class _List(NamedTuple):
    """The content of a project list: when it was requested (monotonic), and its started projects."""

    at: float
    started: frozenset[str]


class StartedProjects:
    """The projects that the vendor's project list shows as started, by account."""

    def __init__(self) -> None:
        self._lists: dict[str, _List] = {}

    def of(self, clients: AccountClients, *, since: float) -> frozenset[str]:
        """Return the started projects from a list that was read after `since` (monotonic)."""
        kept = self._lists.get(clients.name)
        if kept is None or kept.at < max(since, time.monotonic() - _LIST_KEPT):
            at, rows = time.monotonic(), []
            # An account without a list has no evidence there.
            with contextlib.suppress(PayloadRefused):
                rows = clients.use_v3().list_projects()
            kept = _List(at, frozenset(row.id for row in rows if _rendered(row)))
            self._lists[clients.name] = kept
        return kept.started


def read_project(clients: AccountClients, due: DuePoll, project_id: str) -> tuple[Progress | None, Project | None]:
    """Return the vendor's progress answer and the project itself; None where the vendor knows none."""
    kind = KINDS[due.kind]
    progress = project = None
    try:
        progress = kind.poll(clients, project_id, due.data)
    except PayloadRefused:
        pass  # a draft has no progress
    except VendorUnavailable as fault:
        if fault.status != 200:
            raise
    if kind.inspect:
        with contextlib.suppress(ProjectMissing):
            project = kind.inspect(clients, project_id)
    return progress, project


def shows_start(progress: Progress | None, project: Project | None) -> bool:
    """Return whether any of the vendor's answers about a draft of ours is a sign that its render has begun."""
    if progress and (progress.progress > 0 or progress.download_url):
        return True
    return project is not None and started_since(project, None)


def carries_name(due: DuePoll) -> bool:
    """Return whether the paid call itself creates a project with the render's tag."""
    return KINDS[due.kind].followed(due.stage).findable


def find_project(clients: AccountClients, due: DuePoll) -> str | None:
    """Return the project that carries the render's tag, None if none is shown or this kind's projects carry none."""
    return find_by_name(clients, due.id, due.attempt, due.draft) if carries_name(due) else None


def _rendered(row: ProjectSummary) -> bool:
    return bool(row.download_url) or (row.state or "").lower() in _RENDERED
