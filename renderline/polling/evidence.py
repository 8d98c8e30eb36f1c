"""Evidence that the vendor started a render whose paid call was not answered."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from renderline.accounts.clients import AccountClients
from renderline.drafts import TaggedProject, find_by_name, is_rendered, tagged_by_render
from renderline.kinds import KINDS, Kind, started_since
from renderline.ledger import DuePoll
from renderline.studio import PayloadRefused, Progress, Project, ProjectMissing, VendorUnavailable

_LIST_KEPT = 5.0
"""Seconds for which a project list is used for other renders of the account."""


class _List(NamedTuple):
    """The content of a project list: when it was requested (monotonic), and its started projects."""

    at: float
    started: frozenset[str]
    tagged: dict[str, list[TaggedProject]]


class StartedProjects:
    """The projects that the vendor's project list shows as started, by account."""

    def __init__(self) -> None:
        self._lists: dict[str, _List] = {}

    def of(self, clients: AccountClients, *, since: float) -> frozenset[str]:
        """Return the started projects from a list that was read after `since` (monotonic)."""
        return self._read(clients, since).started

    def made_for(self, clients: AccountClients, render_id: str, attempt: int, *, since: float) -> str | None:
        """Return the newest project of an attempt at a render, from such a list; None: it shows none."""
        own = [one for one in self._read(clients, since).tagged.get(render_id, []) if one.attempt == attempt]
        return max(own, key=lambda one: (one.rendered, one.number)).project_id if own else None

    def _read(self, clients: AccountClients, since: float) -> _List:
        kept = self._lists.get(clients.name)
        if kept is None or kept.at < max(since, time.monotonic() - _LIST_KEPT):
            at, rows = time.monotonic(), []
            # An account without a list has no evidence there.
            with contextlib.suppress(PayloadRefused):
                rows = clients.use_v3().list_projects()
            kept = _List(at, frozenset(row.id for row in rows if is_rendered(row)), tagged_by_render(rows))
            self._lists[clients.name] = kept
        return kept


def read_project(clients: AccountClients, due: DuePoll, project_id: str) -> tuple[Progress | None, Project | None]:
    """Return the vendor's progress answer and the project itself; None where the vendor knows none."""
    kind, project = KINDS[due.kind], None
    progress = read_progress(kind, clients, project_id, due.data)
    if kind.inspect:
        with contextlib.suppress(ProjectMissing):
            project = kind.inspect(clients, project_id)
    return progress, project


def read_progress(kind: Kind, clients: AccountClients, project_id: str, data: Mapping[str, Any]) -> Progress | None:
    """Return the vendor's progress answer; None where it knows none, as for a draft."""
    try:
        return kind.poll(clients, project_id, data)
    except PayloadRefused:
        return None
    except VendorUnavailable as fault:
        if fault.status != 200:
            raise
        return None


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
