"""The vendor's v3 API: one method per call, and one token refresh if the vendor refuses the token."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from renderline.studio.credentials import TokenSource
from renderline.studio.endpoint import MEGABYTE, Endpoint, segment
from renderline.studio.faults import PayloadRefused
from renderline.studio.progress import (
    SUMMARY_FIELDS,
    Progress,
    Project,
    ProjectSummary,
    Unreadable,
    progress_v3,
    project_v3,
    rows,
    summaries_v3,
    text_of,
)
from renderline.studio.response import LONGEST_WAIT
from renderline.studio.token_retry import TokenRetry
from renderline.studio.transport import CallGuard, Transport

T = TypeVar("T")

_ROOT = "/api/odin/v3"
_LIST_BYTES = 32 * MEGABYTE

CREATE = Endpoint("POST", f"{_ROOT}/editor/project", effect=True)
SIMPLE_VIDEO = Endpoint("POST", f"{_ROOT}/simple/video", effect=True)
EDIT = Endpoint("POST", f"{_ROOT}/editor/project/{{key}}", effect=True, of_project=True)
FROM_TEMPLATE = Endpoint("POST", f"{_ROOT}/editor/template/{{templateId}}", effect=True)
EXPORT = Endpoint("POST", f"{_ROOT}/editor/project/export", effect=True, of_project=True)
DELETE = Endpoint("DELETE", f"{_ROOT}/editor/project", effect=True, of_project=True)
PROGRESS = Endpoint("GET", f"{_ROOT}/editor/progress/{{key}}", of_project=True)
GET_ONE = Endpoint("GET", f"{_ROOT}/editor/project/{{key}}", of_project=True, max_bytes=16 * MEGABYTE)
LIST = Endpoint("GET", f"{_ROOT}/editor/project", max_bytes=_LIST_BYTES, rows_of=SUMMARY_FIELDS)
MODELS = Endpoint("GET", f"{_ROOT}/model", max_bytes=_LIST_BYTES)
MODELS_SHORT = Endpoint("GET", f"{_ROOT}/dropdown/models", max_bytes=_LIST_BYTES)
WORKSPACES = Endpoint("GET", f"{_ROOT}/dropdown/workspaces", max_bytes=_LIST_BYTES)

# Words that the vendor routes to another call if they take the place of a project's key.
_RESERVED_KEYS = frozenset({"export", "pptpdf", "modify"})


class StudioV3:
    """A client of the v3 API for one account; safe to share between threads.

    Every method may raise VendorUnavailable, RateLimited, TokenRejected and PayloadRefused, and whatever `tokens`
    raises; those that create, change, export or delete may raise OutcomeUnknown. Timeouts are in seconds:
    `read_timeout` between bytes, `total_timeout` for a whole exchange, of which a call makes at most three (the call,
    a check of the token, the call with a newer token).
    """

    def __init__(
        self,
        base_url: str,
        *,
        tokens: TokenSource,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        pool_size: int = 64,
        total_timeout: float = 60.0,
        guard: CallGuard | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """Raise ValueError for a base URL that is more or less than scheme and host."""
        self._transport = Transport(
            base_url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=pool_size,
            guard=guard,
            longest_wait=longest_wait,
        )
        self._calls = TokenRetry(self._transport, tokens)

    def __repr__(self) -> str:
        return f"StudioV3({self._transport.origin!r})"

    @property
    def total_timeout(self) -> float:
        """The most seconds that one exchange may take."""
        return self._transport.total_timeout

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def confirm_token(self) -> bool:
        """Ask the vendor whether the current token is good (AI Studios v3 contract, check a token)."""
        return self._calls.confirm()

    def create_project(self, body: Mapping[str, Any], *, export: bool) -> str:
        """Create a project, rendering it at once or leaving it a draft; return its id (v3 contract, create)."""
        return self._id(CREATE, CREATE.path, {**body, "isExport": export})

    def create_simple_video(self, body: Mapping[str, Any], *, export: bool) -> str:
        """Create a chroma-key video, rendering it at once or not; return its project id (v3 contract, simple video)."""
        return self._id(SIMPLE_VIDEO, SIMPLE_VIDEO.path, {**body, "isExport": export})

    def edit_project(self, project_id: str, body: Mapping[str, Any], *, export: bool) -> str:
        """Edit a project, rendering it at once or not; return the id to follow, perhaps a new one (v3 contract, edit).

        Raises ProjectMissing too.
        """
        key = segment(EDIT, project_id, reserved=_RESERVED_KEYS)
        return self._id(EDIT, f"{_ROOT}/editor/project/{key}", {**body, "isExport": export})

    def create_from_template(self, template_id: str, body: Mapping[str, Any]) -> str:
        """Create a project from a template, not rendered; return its id (v3 contract, project from template)."""
        key = segment(FROM_TEMPLATE, template_id, reserved=_RESERVED_KEYS)
        return self._id(FROM_TEMPLATE, f"{_ROOT}/editor/template/{key}", body)

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
        path = f"{_ROOT}/editor/progress/{segment(PROGRESS, project_id)}"
        return self._read(PROGRESS, path, progress_v3)

    def get_project(self, project_id: str) -> Project:
        """Return one project without its scenes; raise ProjectMissing too (v3 contract, one project)."""
        path = f"{_ROOT}/editor/project/{segment(GET_ONE, project_id)}"
        return self._read(GET_ONE, path, project_v3)

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

    def models(self) -> list[dict[str, Any]]:
        """Return the avatars with their clothes, or without them where that list is gone (v3 contract, model list)."""
        try:
            return self._read(MODELS, MODELS.path, rows)
        except PayloadRefused as refusal:
            if refusal.status != 404:
                raise
        return self._read(MODELS_SHORT, MODELS_SHORT.path, rows)

    def workspaces(self) -> list[dict[str, Any]]:
        """Return the workspaces, each with `workspaceId` and `workspaceName` (v3 contract, pick lists)."""
        return self._read(WORKSPACES, WORKSPACES.path, rows)

    def _id(self, endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> str:
        data = self._calls.call(endpoint, path, body).get("data")
        project_id = text_of(data.get("projectId")) if isinstance(data, dict) else None
        if project_id is None:
            raise endpoint.unseen("the vendor reports success but no project id", status=200)
        return project_id

    def _read(self, endpoint: Endpoint, path: str, reader: Callable[[Any], T]) -> T:
        answer = self._calls.call(endpoint, path)
        try:
            return reader(answer.get("data"))
        except Unreadable as unreadable:
            reason = str(unreadable)
        raise endpoint.unseen(reason, status=200)
