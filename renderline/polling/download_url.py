"""Where a finished video is: the places at the vendor that tell its download URL, asked one after the other.

The vendor's export page says to take the URL from get-project or the list, its samples take it from the progress
answer, and a URL is good for a while only: so each is asked, at the end of a render and again when a link has expired.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from renderline.accounts.clients import AccountClients, AccountUnavailable
from renderline.kinds import KINDS, Kind
from renderline.ledger import DuePoll, Ledger
from renderline.studio import FINISHED_STATES, RateLimited, StudioFault

log = structlog.get_logger(__name__)


class NoLink(Exception):
    """No link could be had; the message says why."""


def of_finished(clients: AccountClients, look: DuePoll, project_id: str) -> str | None:
    """Return where the video is of a render at its end, whose progress answer does not tell it; None: nowhere yet.

    Get-project is asked and, from the second such look on, the list, which may be long. A URL that only a webhook told
    is believed last. A place that cannot be read does not hide the others; raises `RateLimited` alone.
    """
    kind = KINDS[look.kind]
    if kind.inspect is None:
        return look.hinted_url
    # On a project that was rendered before, what it told then is the earlier video.
    earlier = json.loads(look.baseline).get("url") if look.baseline else None
    for place in (_of_project, _of_list)[: 2 if look.progress >= 100 else 1]:
        try:
            url = place(clients, kind, project_id)
        except RateLimited:
            raise
        except StudioFault as fault:
            log.info("no link told", render_id=look.id, fault=str(fault))
            continue
        if url and url != earlier:
            return url
    return look.hinted_url


def _of_project(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
    if kind.inspect is None:
        return None
    project = kind.inspect(clients, project_id)
    finished = project.progress >= 100 or (project.state or "").lower() in FINISHED_STATES
    return project.download_url if finished else None


def _of_list(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
    if kind.inspect is None:
        return None
    rows = (row for row in clients.use_v3().list_projects() if row.id == project_id)
    return next((row.download_url for row in rows if not row.state or row.state.lower() in FINISHED_STATES), None)


@dataclass(frozen=True)
class FreshLinks:
    """Asks the vendor anew where a video is, whose link has expired, and notes it in the render's record."""

    ledger: Ledger
    accounts: Mapping[str, AccountClients]

    def __call__(self, record: Mapping[str, Any]) -> str | None:
        """Return the link that the vendor tells now, None if it tells none; raises `NoLink` if it cannot be asked."""
        project_id, kind = record.get("project_id"), KINDS.get(record["kind"])
        clients = self.accounts.get(record["account"])
        if not project_id or kind is None:
            raise NoLink("no project is known to ask about")
        if clients is None:
            raise NoLink(f"account {record['account']!r} is not configured here")
        try:
            url = self._ask(clients, kind, project_id)
        except StudioFault as fault:
            raise NoLink(str(fault)) from None
        except AccountUnavailable as error:
            raise NoLink(str(error)) from None
        if url and url != record.get("download_url"):
            self.ledger.relink(record["id"], attempt=record["attempt"], url=url)
        return url

    @staticmethod
    def _ask(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
        seen = kind.look(clients, project_id)
        if seen.done:
            return seen.download_url
        return _of_project(clients, kind, project_id) or _of_list(clients, kind, project_id)
