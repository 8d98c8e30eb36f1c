"""Looks an account through after a gap without any worker: is the ledger older than what the vendor has?

An ordinary stop leaves nothing at the vendor that the ledger does not know. A ledger that was restored from a snapshot
without a word shows itself by a render that it has as not begun, and that has a project.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from renderline.accounts.clients import AccountClients
from renderline.ledger import HELD, Doubt, Ledger
from renderline.reconciliation.differences import unknown
from renderline.reconciliation.vendor_view import VendorView
from renderline.renders import State

log = structlog.get_logger(__name__)

_WHY = "the vendor has a project of render {}, which the ledger has as not begun"


@dataclass(frozen=True)
class GapCheck:
    """A cleanup task that makes free calls only, and deletes nothing."""

    ledger: Ledger
    retention: float

    def run(self, clients: AccountClients) -> bool:
        """Look an account through, if it is to be. Raises a `StudioFault`: it is done again later."""
        doubt = Doubt(self.ledger)
        if not doubt.unchecked(clients.name):
            return False
        view = VendorView.read(clients)
        known = [one for one in doubt.renders(sorted(view.by_render or ())) if one]
        for one in known:
            attempts = {row.attempt for row in view.of(one.id)}
            not_begun = one.state in (State.ACCEPTED, HELD) and one.attempt in attempts and not one.project_id
            if not_begun or max(attempts) > one.attempt:
                why = _WHY.format(one.id) if not_begun else f"the vendor has a later attempt of render {one.id}"
                if doubt.begin(why):
                    log.error("the ledger is in doubt", why=why)
                return False
        attempts_known = [(one.id, attempt) for one in known for attempt in range(1, one.attempt + 1)]
        fresh = unknown(view, attempts_known, clients.name)
        drafts = {(one.render_id, one.project.attempt): one.project.number for one in fresh if one.project}
        doubt.remember(clients.name, drafts, seconds=self.retention)
        doubt.checked(clients.name)
        log.info("account looked through after a gap", account=clients.name, unknown_projects=len(drafts))
        return False
