"""Finds the download URL of a finished video: reads the vendor's answers that may have it, one after the other.

The vendor's export page says to take the URL from get-project or the list, its samples take it from the progress
answer, and a URL expires after a while. So all of them are read, at the end of a render and when a URL has expired.
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


class NoDownloadUrl(Exception):
    """The vendor could not be asked for a download URL; the message says why, `retry_after` when it can be."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def of_finished(clients: AccountClients, due: DuePoll, project_id: str) -> str | None:
    """Return the URL of a finished video whose progress answer has none; None if no answer has one yet.

    Get-project is read and, from the second such poll on, the list, which may be long. A URL that only a webhook
    reported is the last choice. A failed read does not stop the others, unless it is `RateLimited`, which is raised.
    """
    kind = KINDS[due.kind]
    if kind.inspect is None:
        return due.reported_url
    # The project's URL from before this render is that of an earlier video.
    earlier = json.loads(due.baseline).get("url") if due.baseline else None
    for place in (_of_project, _of_list)[: 2 if due.progress >= 100 else 1]:
        try:
            url = place(clients, kind, project_id)
        except RateLimited:
            raise
        except StudioFault as fault:
            log.info("download URL not readable here", render_id=due.id, fault=str(fault))
            continue
        if url and url != earlier:
            return url
    return due.reported_url


def _of_project(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
    if kind.inspect is None:
        return None
    project = kind.inspect(clients, project_id)
    finished = project.progress >= 100 or (project.state or "").lower() in FINISHED_STATES
    return project.download_url if finished else None


def _of_list(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
    if kind.inspect is None or kind.api == "v2":
        return None
    rows = (row for row in clients.use_v3().list_projects() if row.id == project_id)
    return next((row.download_url for row in rows if not row.state or row.state.lower() in FINISHED_STATES), None)


@dataclass(frozen=True)
class DownloadUrlRefresh:
    """Asks the vendor for a new download URL after the old one has expired, and records it."""

    ledger: Ledger
    accounts: Mapping[str, AccountClients]

    def __call__(self, record: Mapping[str, Any]) -> str | None:
        """Return the vendor's current URL, None without one; raises `NoDownloadUrl` if the vendor cannot be asked.

        `output` in the record is the project of the output that it is about, in a render with several.
        """
        project_id, kind = record.get("project_id"), KINDS.get(record["kind"])
        clients = self.accounts.get(record["account"])
        if not project_id or kind is None:
            raise NoDownloadUrl("the project of this render is not known")
        if clients is None:
            raise NoDownloadUrl(f"account {record['account']!r} is not configured in this worker")
        try:
            if record.get("outputs"):
                return self._ask_for_output(clients, kind, project_id, record.get("output"))
            url = self._ask(clients, kind, project_id)
        except StudioFault as fault:
            raise NoDownloadUrl(str(fault), retry_after=fault.retry_after) from None
        except AccountUnavailable as error:
            raise NoDownloadUrl(str(error)) from None
        if url and url != record.get("download_url"):
            self.ledger.update_download_url(record["id"], attempt=record["attempt"], url=url)
        return url

    @staticmethod
    def _ask_for_output(clients: AccountClients, kind: Kind, project_id: str, output: str | None) -> str | None:
        found = (one for one in kind.poll(clients, project_id, {}).outputs if one.project_id == output)
        return next((one.download_url for one in found if output), None)

    @staticmethod
    def _ask(clients: AccountClients, kind: Kind, project_id: str) -> str | None:
        seen = kind.poll(clients, project_id, {})
        if seen.done:
            return seen.download_url
        return _of_project(clients, kind, project_id) or _of_list(clients, kind, project_id)
