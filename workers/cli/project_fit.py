"""Compares requests with the vendor projects that they change, before any of them is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workers.cli.errors import CommandError, print_error
from workers.cli.session import Session
from workers.cli.vendor import studio

if TYPE_CHECKING:
    from renderline.requests import RenderRequest


class ProjectFit:
    """Says what does not fit the project that a request of kind from_project names; reads each project once.

    A project that cannot be read now says nothing: the worker reads it anyway, and nothing is charged before that.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read: dict[tuple[str, str], Mapping[str, Any] | None] = {}

    def problems(self, request: RenderRequest) -> dict[str, list[str]]:
        """Return what does not fit, by the path of the field."""
        if request.kind != "from_project":
            return {}
        from renderline.kinds.editor.replacing import replaced

        project = self._project(request.account, str(request.body["project_id"]))
        if project is None:
            return {}
        if not project:
            return {"project_id": [f"account {request.account} has no such project"]}
        _, problems = replaced(project, request.body["payload"].get("replace") or ())
        return {path: [message] for path, message in problems.items()}

    def _project(self, account: str, project_id: str) -> Mapping[str, Any] | None:
        """Return the project, an empty one if there is none, None if it cannot be read."""
        if (account, project_id) not in self._read:
            self._read[account, project_id] = self._ask(account, project_id)
        return self._read[account, project_id]

    def _ask(self, account: str, project_id: str) -> Mapping[str, Any] | None:
        from renderline.studio import ProjectMissing, StudioFault

        try:
            return studio(self._session, account).read_project(project_id)
        except ProjectMissing:
            return {}
        except (StudioFault, CommandError) as error:
            print_error(f"not compared with project {project_id}, which cannot be read now: {error}")
            return None
