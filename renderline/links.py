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

from renderline.accounts import AccountClients, AccountUnavailable
from renderline.kinds import KINDS, Kind
from renderline.ledger import Ledger, Look
from renderline.studio import FINISHED_STATES, PayloadRefused, StudioFault

log = structlog.get_logger(__name__)


class NoLink(Exception):
    """No link could be had; the message says why."""


def beyond_progress(clients: AccountClients, kind: Kind, project_id: str, *, listed: bool = True) -> str | None:
    """Return the download URL that get-project tells, or else, if `listed`, the project list; None without one.

    Raises `StudioFault`.
    """
    if kind.inspect is None:
        return None
    project = kind.inspect(clients, project_id)
    if project.download_url and (project.progress >= 100 or (project.state or "").lower() in FINISHED_STATES):
        return project.download_url
    if not listed:
        return None
    rows = (row for row in clients.use_v3().list_projects() if row.id == project_id)
    return next((row.download_url for row in rows if not row.state or row.state.lower() in FINISHED_STATES), None)


def of_finished(clients: AccountClients, look: Look, project_id: str) -> str | None:
    """Return where the video is of a render that is at its end, whose progress answer does not tell; None: nowhere yet.

    The list, which may be long, is asked from the second such look on; a URL that only a webhook told is believed last.
    """
    listed = look.progress >= 100
    try:
        url = beyond_progress(clients, KINDS[look.kind], project_id, listed=listed)
    except PayloadRefused as refusal:
        # This vendor does not know the call, or the project no more: what the progress answer said stands.
        log.info("no link beyond the progress answer", render_id=look.id, fault=str(refusal))
        url = None
    # On a project that was rendered before, what it told then is the earlier video.
    if url and look.baseline and url == json.loads(look.baseline).get("url"):
        url = None
    return url or look.hinted_url


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
            clients.saw(None)
        except StudioFault as fault:
            clients.saw(fault)
            raise NoLink(str(fault)) from None
        except AccountUnavailable as error:
            raise NoLink(str(error)) from None
        if url and url != record.get("download_url"):
            self.ledger.relink(record["id"], attempt=record["attempt"], url=url)
        return url

    @staticmethod
    def _ask(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
        seen = kind.look(clients, project_id)
        return seen.download_url if seen.done else beyond_progress(clients, kind, project_id)
