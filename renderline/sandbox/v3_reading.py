"""The v3 calls that read projects (AI Studios v3 contract: get project, list, progress)."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from renderline.sandbox.backend import Backend
from renderline.sandbox.calls import Call, Route
from renderline.sandbox.clock import iso
from renderline.sandbox.projects import EXPORTED, Account, Project
from renderline.sandbox.renders import task_id
from renderline.sandbox.responses import Response, success, success_list
from renderline.sandbox.states import COMPLETE, shown_state

EDITOR = "/api/odin/v3/editor"

CALL_FIELDS = frozenset({"isExport", "webhookUrl", "workspaceId", "resolution"})
"""Fields of a create body that belong to the call, not to the project."""

EXPORT_TYPE = "video"

Rows = list[dict[str, Any]]


def project_json(
    project: Project, content: dict[str, Any], *, now: float, state: str | None, url: str | None
) -> dict[str, Any]:
    """All documented fields over whatever else the project was created with."""
    kept = {name: value for name, value in content.items() if name not in CALL_FIELDS}
    shown = {
        **kept,
        "_id": project.id,
        "name": project.name,
        "orientation": project.orientation,
        "userId": project.account.name,
        "templateId": project.template_id,
        "thumbnailUrl": None,
        "baseInfoId": hashlib.blake2b(project.id.encode(), digest_size=12, person=b"base").hexdigest(),
        "scenes": content.get("scenes"),
        "state": state,
        "dictionary": content.get("dictionary"),
        "backendTaskId": task_id(project),
        "exportType": EXPORT_TYPE if project.exports else None,
        "progress": int(project.progress_at(now)),
        "creditSubstracted": project.credit_subtracted,
        "createdAt": iso(project.created_at),
        "updatedAt": iso(project.updated_at),
        "download_url": url,
    }
    if project.error is not None:
        shown["error"] = {"code": project.error[0], "msg": project.error[1]}
    return shown


class V3Reading:
    """Handlers of the calls that only read."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lists: dict[str, tuple[Account, int, bytes]] = {}

    def routes(self) -> list[Route]:
        """The calls and their handlers."""
        return [
            Route("GET", f"{EDITOR}/project", self.list, "v3"),
            Route("GET", f"{EDITOR}/project/{{key}}", self.get, "v3", "key", ("project",)),
            Route("GET", f"{EDITOR}/progress/{{key}}", self.progress, "v3", "key", ("progress",)),
        ]

    def progress(self, call: Call) -> Response:
        """Progress from 0 to 100; `downloadUrl` is absent before completion and empty while it lags behind.

        Where `Complete` is the only word, it replaces the number at the end.
        """
        backend, at = self._backend, call.seen_at
        project = backend.store.read(call.account, call.key, at=at)
        data: dict[str, Any] = {"progress": project.progress_at(at)}
        state = shown_state(backend.options, project, at)
        if state is not None:
            data["state"] = state
        if state == COMPLETE:
            del data["progress"]
        url = backend.links.url(project, at, host=call.host)
        if url is not None and backend.options.urls == "everywhere":
            data["downloadUrl"] = url
        if project.error is not None:
            data["error"] = {"code": project.error[0], "msg": project.error[1]}
        return success(data)

    def get(self, call: Call) -> Response:
        """One project with its scenes."""
        project = self._backend.store.read(call.account, call.key, at=call.seen_at)
        content = json.loads(self._backend.store.packing.unpack(project.packed))
        at, options = call.seen_at, self._backend.options
        url = self._backend.links.url(project, at, host=call.host)
        state = shown_state(options, project, at)
        return success({"project": project_json(project, content, now=at, state=state, url=url)})

    def list(self, call: Call) -> Response:
        """The account's projects, newest first, as a bare list."""
        if call.lag:
            known = self._ordered(self._backend.store.listed(call.account, at=call.seen_at))
            shown = [p for p in known if p.api == "v3" and self._listed(p)]
            return self._shown([self._item(p, call) for p in shown])
        account = self._backend.store.account(call.account)
        ready = self._lists.get(account.name)
        waiting = False
        # After a reset the account object is another one, and its version starts at 0.
        if ready is None or ready[0] is not account or ready[1] != account.version:
            known = self._ordered(account.projects.values())
            shown = [p for p in known if p.api == "v3" and self._listed(p)]
            waiting = any(p.url_at > call.now or p.generation is not None for p in shown)
            ready = (account, account.version, self._shown([self._item(p, call) for p in shown]).body)
            if not waiting and not self._backend.links.expire:
                self._lists[account.name] = ready
        return Response(200, ready[2])

    def _ordered(self, oldest_first: Iterable[Project]) -> Sequence[Project]:
        known = list(oldest_first)
        return known if self._backend.options.order == "oldest" else known[::-1]

    def _listed(self, project: Project) -> bool:
        return self._backend.options.project_list == "all" or project.state == EXPORTED

    def _shown(self, rows: Rows) -> Response:
        return success_list(rows, "projects", named=self._backend.options.named_lists)

    def _item(self, project: Project, call: Call) -> dict[str, Any]:
        options, at = self._backend.options, call.seen_at
        url = self._backend.links.url(project, at, host=call.host) if options.urls == "everywhere" else None
        state = shown_state(options, project, at)
        return {"id": project.id, "name": project.name, "state": state, "download_url": url}
