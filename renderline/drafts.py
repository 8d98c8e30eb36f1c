"""Drafts at the vendor: the tag in a draft's name that identifies it, and its deletion."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import structlog

from renderline.accounts.clients import AccountClients
from renderline.kinds import Kind, started_since
from renderline.studio import ProjectSummary, StudioFault

log = structlog.get_logger(__name__)

_CLOCKS = 3600.0
"""Seconds by which the vendor's clock and ours may differ; after the retention, far later, a key may come again."""

_TAG = re.compile(r"\[([0-9a-f]{32})(?:\.(\d+))?(?:\.(\d+))?\]$")
_RENDERED = frozenset({"exported", "complete"})
"""States in the project list that mean a rendered project, with or without its URL."""


class TaggedProject(NamedTuple):
    """A project that carries a render's tag."""

    project_id: str
    render_id: str
    attempt: int
    number: int
    rendered: bool
    """Whether the list shows that it was rendered."""


def tagged(projects: Iterable[ProjectSummary]) -> list[TaggedProject]:
    """Return those of the vendor's projects that carry the tag of a render."""
    found = ((project, _TAG.search(project.name or "")) for project in projects)
    return [
        TaggedProject(project.id, match[1], int(match[2] or 1), int(match[3] or 1), is_rendered(project))
        for project, match in found
        if match
    ]


def tagged_by_render(projects: Iterable[ProjectSummary]) -> dict[str, list[TaggedProject]]:
    """Return the same by render id."""
    found: dict[str, list[TaggedProject]] = {}
    for one in tagged(projects):
        found.setdefault(one.render_id, []).append(one)
    return found


def is_rendered(project: ProjectSummary) -> bool:
    """Return whether the project list shows that a project was rendered."""
    return bool(project.download_url) or (project.state or "").lower() in _RENDERED


def tag(render_id: str, attempt: int = 1, draft: int = 1) -> str:
    """Return the tag of this draft of an attempt at a render."""
    # A retry makes a new draft, and a revoked one is never used again, so each draft has a tag of its own.
    if draft > 1:
        return f"[{render_id}.{attempt}.{draft}]"
    return f"[{render_id}]" if attempt == 1 else f"[{render_id}.{attempt}]"


def project_name(name: str, render_id: str, attempt: int = 1, draft: int = 1) -> str:
    """Return the vendor project's name: the caller's name followed by our tag."""
    return f"{name} {tag(render_id, attempt, draft)}"


def find_by_name(clients: AccountClients, render_id: str, attempt: int = 1, draft: int = 1) -> str | None:
    """Return the vendor project that carries the tag of this attempt's draft, None if the list shows none."""
    wanted = tag(render_id, attempt, draft)
    for project in clients.use_v3().list_projects():
        if (project.name or "").endswith(wanted):
            return project.id
    return None


def is_earlier(clients: AccountClients, project_id: str, since: float | None) -> bool:
    """Return whether a project was made before `since` (epoch seconds): for an earlier render with the same key.

    A key that comes again after the retention gives a render with the same id, and so the same tags. False if it cannot
    be known. Raises a `StudioFault`, `ProjectMissing` too.
    """
    if not since:
        return False
    created = clients.use_v3().get_project(project_id).created_at
    try:
        at = datetime.fromisoformat(created or "")
    except ValueError:
        return False
    # Without a zone it may be the local time of anywhere.
    return at.tzinfo is not None and at.timestamp() < since - _CLOCKS


def has_begun(kind: Kind, clients: AccountClients, project_id: str) -> bool:
    """Return whether a draft of ours shows a sign of a render, in get-project or in the progress answer."""
    if kind.inspect and started_since(kind.inspect(clients, project_id), None):
        return True
    seen = kind.poll(clients, project_id, {})
    return seen.progress > 0 or seen.download_url is not None


def discard(kind: Kind, clients: AccountClients, project_id: str) -> None:
    """Delete a draft that is no longer needed, unless its render has begun. A fault is only logged."""
    try:
        if not has_begun(kind, clients, project_id):
            clients.use_v3().delete_projects([project_id])
    except StudioFault as fault:
        log.warning("draft not deleted", project_id=project_id, fault=str(fault))
