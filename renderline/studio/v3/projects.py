"""Projects of the v3 API: create, edit, export, follow, read, list and delete."""

from collections.abc import Mapping, Sequence
from typing import Any

from renderline.studio.endpoint import MEGABYTE, Endpoint, segment
from renderline.studio.multipart import Form, Upload
from renderline.studio.progress import (
    SUMMARY_FIELDS,
    Progress,
    Project,
    ProjectSummary,
    progress_v3,
    project_v3,
    summaries_v3,
    whole_project_v3,
)
from renderline.studio.v3.calls import ROOT, V3Calls

CREATE = Endpoint("POST", f"{ROOT}/editor/project", effect=True)
EDIT = Endpoint("POST", f"{ROOT}/editor/project/{{key}}", effect=True, of_project=True)
FROM_TEMPLATE = Endpoint("POST", f"{ROOT}/editor/template/{{templateId}}", effect=True)
FROM_SLIDES = Endpoint("POST", f"{ROOT}/editor/project/pptpdf", effect=True, slow=True)
EXPORT = Endpoint("POST", f"{ROOT}/editor/project/export", effect=True, of_project=True)
DELETE = Endpoint("DELETE", f"{ROOT}/editor/project", effect=True, of_project=True)
PROGRESS = Endpoint("GET", f"{ROOT}/editor/progress/{{key}}", of_project=True)
GET_ONE = Endpoint("GET", f"{ROOT}/editor/project/{{key}}", of_project=True, max_bytes=16 * MEGABYTE)
LIST = Endpoint("GET", f"{ROOT}/editor/project", max_bytes=32 * MEGABYTE, rows_of=SUMMARY_FIELDS)

# Words that the vendor routes to another call if they take the place of a project's key.
_RESERVED_KEYS = frozenset({"export", "pptpdf", "modify"})


class ProjectCalls(V3Calls):
    """The calls on projects."""

    def create_project(self, body: Mapping[str, Any], *, export: bool) -> str:
        """Create a project, rendering it at once or leaving it a draft; return its id (v3 contract, create)."""
        return self._id(CREATE, CREATE.path, {**body, "isExport": export})

    def edit_project(self, project_id: str, body: Mapping[str, Any], *, export: bool) -> str:
        """Edit a project, rendering it at once or not; return the id to follow, perhaps a new one (v3 contract, edit).

        Raises ProjectMissing too.
        """
        key = segment(EDIT, project_id, reserved=_RESERVED_KEYS)
        return self._id(EDIT, f"{ROOT}/editor/project/{key}", {**body, "isExport": export})

    def create_from_template(self, template_id: str, body: Mapping[str, Any]) -> str:
        """Create a project from a template, not rendered; return its id (v3 contract, project from template)."""
        key = segment(FROM_TEMPLATE, template_id, reserved=_RESERVED_KEYS)
        return self._id(FROM_TEMPLATE, f"{ROOT}/editor/template/{key}", body)

    def create_from_slides(self, upload: Upload, *, name: str, workspace_id: str | None = None) -> str:
        """Create a project with a scene per slide, not rendered; return its id (v3 contract, project from slides)."""
        fields = {"name": name, "workspaceId": workspace_id}
        form = Form({field: value for field, value in fields.items() if value}, [("file", upload)])
        return self._id(FROM_SLIDES, FROM_SLIDES.path, form=form)

    def export_project(
        self,
        project_id: str,
        *,
        resolution: str | None = None,
        workspace_id: str | None = None,
        webhook_url: str | None = None,
    ) -> str:
        """Start the render of an existing project, which costs credits; return the id to follow (v3 contract, export).

        Raises ProjectMissing too.
        """
        body = {
            "projectId": project_id,
            "resolution": resolution,
            "workspaceId": workspace_id,
            "webhookUrl": webhook_url,
        }
        return self._id(EXPORT, EXPORT.path, {name: value for name, value in body.items() if value is not None})

    def progress(self, project_id: str) -> Progress:
        """Return how far a render is; raise ProjectMissing too (v3 contract, render progress)."""
        path = f"{ROOT}/editor/progress/{segment(PROGRESS, project_id)}"
        return self._read(PROGRESS, path, progress_v3)

    def get_project(self, project_id: str) -> Project:
        """Return one project without its scenes; raise ProjectMissing too (v3 contract, one project)."""
        return self._read(GET_ONE, _one(project_id), project_v3)

    def read_project(self, project_id: str) -> dict[str, Any]:
        """Return all of a project as the vendor sends it, its scenes included; raise ProjectMissing too."""
        return self._read(GET_ONE, _one(project_id), whole_project_v3)

    def list_projects(self) -> list[ProjectSummary]:
        """Return the account's projects that the vendor lists, perhaps only exported ones (v3 contract, list).

        The list is read as it arrives, whatever its length; its names, states and URLs may take 32 MB. More, or a shape
        that is not understood, is VendorUnavailable.
        """
        return self._read(LIST, LIST.path, summaries_v3)

    def delete_projects(self, ids: Sequence[str]) -> int:
        """Delete projects; return how many the vendor says it deleted, 0 if it does not say (v3 contract, delete).

        A count below `len(ids)` is no fault: unknown ids are not counted.
        """
        if not ids:
            return 0
        data = self._calls.call(DELETE, DELETE.path, {"ids": list(ids)}).get("data")
        count = data.get("deletedCount") if isinstance(data, dict) else None
        return count if isinstance(count, int) else 0


def _one(project_id: str) -> str:
    return f"{ROOT}/editor/project/{segment(GET_ONE, project_id)}"
