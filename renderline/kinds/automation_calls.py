"""The vendor calls that the kinds share whose project the vendor generates: follow the generation, then export it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from renderline.accounts.clients import AccountClients
from renderline.kinds.automation_options import sent_options
from renderline.kinds.plan import CallContext, CallResult, Stage
from renderline.kinds.v3_calls import BASELINE, EXPORT
from renderline.studio import Progress

_HALF: Final = 50.0
"""The percentage at which a generated project is exported."""

EXPORT_FIELDS: Final = frozenset({"resolution", "workspaceId", "webhookUrl"})
"""Fields of the request that the generating call does not take: they are sent with the export."""


def generate(what: Literal["topic", "url", "scripts"]) -> Stage:
    """Return the stage that has a project generated from the payload's field `what`."""

    def call(clients: AccountClients, context: CallContext) -> CallResult:
        payload = context.body["payload"]
        made = clients.use_v3().generate(what, payload[what], sent_options(payload))
        return CallResult(made.project_id)

    return generation(call)


def generation(call: Callable[[AccountClients, CallContext], CallResult]) -> Stage:
    """Return the stage whose `call` starts a generation: it costs, and a lost answer leaves no trace."""
    return Stage("generate", call, paid=True, slow=True, poll=_follow, progress=(0.0, _HALF))


def generated(*stages: Stage) -> tuple[Stage, ...]:
    """Return the plan that begins with these stages, the last of which generates, and exports what they made."""
    return (*stages, BASELINE, replace(EXPORT, progress=(_HALF, 100.0)))


def _follow(clients: AccountClients, project_id: str, _data: Mapping[str, Any]) -> Progress:
    return clients.use_v3().generation_progress(project_id)
