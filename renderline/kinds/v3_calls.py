"""The vendor calls that several kinds of the v3 API share: poll, read, baseline, export."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from renderline.accounts.clients import AccountClients
from renderline.kinds.evidence import render_evidence
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.studio import OutcomeUnknown, Progress, Project


def poll(clients: AccountClients, project_id: str, _data: Mapping[str, Any]) -> Progress:
    """Ask how far the render of a project is."""
    return clients.use_v3().progress(project_id)


def get_project(clients: AccountClients, project_id: str) -> Project:
    """Read a project."""
    return clients.use_v3().get_project(project_id)


def take_baseline(clients: AccountClients, context: CallContext) -> str:
    """Return the project's evidence of earlier renders, before ours is started."""
    return json.dumps(render_evidence(clients.use_v3().get_project(context.project())))


def _baseline(clients: AccountClients, context: CallContext) -> CallResult:
    return CallResult(baseline=take_baseline(clients, context))


def _export(clients: AccountClients, context: CallContext) -> CallResult:
    # The export keeps the project's id (contract, export). With another id, it is unknown what was exported.
    wanted = context.project()
    exported = clients.use_v3().export_project(wanted, **context.export_options())
    if exported != wanted:
        raise OutcomeUnknown("the vendor answered the export with another project", endpoint="export", status=200)
    return CallResult(wanted)


EXPORT: Final = Stage("export", _export, paid=True, exports=True)
BASELINE: Final = Stage("baseline", _baseline, exports=True)
"""For a project that existed before us: an earlier render of it is no evidence of ours."""
