"""Evidence in a vendor project that a render was started on it."""

from __future__ import annotations

import json
from typing import Any

from renderline.studio import Project


def render_evidence(project: Project) -> dict[str, Any]:
    """Return the fields of a project that a render changes (contract, get project)."""
    return {
        "task": project.backend_task_id,
        "credit": project.credit_subtracted,
        "progress": project.progress,
        "url": project.download_url,
        "updated": project.updated_at,
    }


def started_since(project: Project, baseline: str | None) -> bool:
    """Return whether a render was started since `baseline`, the earlier evidence as JSON (None: a fresh draft)."""
    # `updated` proves nothing: our own draft call may have changed it.
    now = {field: value for field, value in render_evidence(project).items() if field != "updated"}
    if baseline is None:
        return any(now.values())
    before = json.loads(baseline)
    return any(value != before.get(field) for field, value in now.items())
