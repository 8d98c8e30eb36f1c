"""Giving renders up: recorded at once and, if asked for, with the vendor's project deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import structlog

from renderline.accounts.clients import AccountClients
from renderline.drafts import find_by_name
from renderline.kinds import KINDS
from renderline.ledger import Commands, Ledger
from renderline.renders import State
from renderline.studio import ProjectMissing, StudioFault

log = structlog.get_logger(__name__)


class Dispatcher(Protocol):
    """Publishes the messages that follow from an end."""

    def hooks(self, render_id: str) -> None:
        """Have the hooks that asked for cancellations run."""

    def freed(self) -> None:
        """Have the renders submitted that waited for a slot."""


@dataclass(frozen=True)
class Cancellation:
    """What became of a wish to cancel."""

    state: str
    """The render's state afterwards, empty for an unknown render; `canceled` unless it had ended before."""
    project: Literal["untouched", "none", "deleted", "kept"] = "untouched"
    """Its project at the vendor: not asked about, never made, gone, or still there."""
    why: str = ""
    """Why the project was kept."""

    @property
    def canceled(self) -> bool:
        """Whether the render is canceled, by this call or an earlier one."""
        return self.state == State.CANCELED


def cancel(
    render_id: str,
    *,
    ledger: Ledger,
    dispatcher: Dispatcher,
    accounts: Mapping[str, AccountClients] | None = None,
    delete_project: bool = False,
) -> Cancellation:
    """Cancel a render; safe to repeat.

    Before its submission nothing is sent to the vendor. Afterwards it is no longer followed, and of its hooks only
    those run that asked for `render.canceled`. The vendor knows no cancel: what it has begun it renders and charges.
    `delete_project` removes the project as well, with the clients in `accounts`; it spares the dashboard, perhaps not
    the cost. A render that has ended stays as it is. Raises `redis.RedisError`; faults of the vendor are in the answer.
    """
    state = Commands(ledger).cancel(render_id)
    if state != State.CANCELED:
        return Cancellation(state)
    log.info("canceled", render_id=render_id)
    dispatcher.hooks(render_id)
    dispatcher.freed()
    record = ledger.record(render_id) if delete_project else None
    if record is None:
        return Cancellation(state)
    (draft,) = ledger.drafts([render_id])
    return _without_project(state, record, draft, accounts or {})


def _without_project(
    state: str, record: Mapping[str, Any], draft: int, accounts: Mapping[str, AccountClients]
) -> Cancellation:
    kind, clients = KINDS[record["kind"]], accounts.get(record["account"])
    if not kind.owns_project:
        # A project that was there before us is the caller's, and the v2 API has no such call.
        return Cancellation(state, "kept", f"a render of kind {kind.name} has no project of its own to delete")
    if State.SUBMITTING not in record["times"]:
        return Cancellation(state, "none")
    if clients is None:
        return Cancellation(state, "kept", f"account {record['account']!r} is not configured here")
    try:
        # A call whose answer nobody saw may have made a project.
        found = record["project_id"] or find_by_name(clients, record["id"], record["attempt"], draft)
        if not found:
            return Cancellation(state, "none")
        clients.use_v3().delete_projects([found])
    except ProjectMissing:
        pass
    except (StudioFault, LookupError) as fault:
        log.warning("project not deleted", render_id=record["id"], fault=str(fault))
        return Cancellation(state, "kept", str(fault))
    return Cancellation(state, "deleted")
