"""Looks an account through after a gap without any worker: is the ledger older than what the vendor has?

An ordinary stop leaves nothing at the vendor that the ledger does not know. A ledger that was restored from a snapshot
without a word shows itself by a render that it has as not begun, and that has a project.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import structlog

from renderline.accounts.clients import AccountClients
from renderline.ledger import HELD, Doubt, Ledger
from renderline.reconciliation.differences import attempts, unknown
from renderline.reconciliation.vendor_view import VendorView
from renderline.renders import State
from renderline.studio import StudioFault

log = structlog.get_logger(__name__)

_WHY = "the vendor has a project of render {}, which the ledger has as not begun"


@dataclass(frozen=True)
class GapCheck:
    """A cleanup task that makes free calls only, and deletes nothing."""

    ledger: Ledger
    retention: float
    patience: float = 60.0
    """Seconds after which an account goes on whose calls are answered, but not with a list that can be read."""
    _refused_at: dict[str, float] = field(default_factory=dict, repr=False)

    def run(self, clients: AccountClients) -> bool:
        """Look an account through, if it is to be. Raises a `StudioFault`: it is done again later.

        A vendor that answers and has no list for this account may never have one; that stops nobody for long.
        """
        doubt = Doubt(self.ledger)
        if not doubt.unchecked(clients.name):
            self._refused_at.pop(clients.name, None)
            return False
        try:
            return self._look_through(clients, doubt)
        except StudioFault as fault:
            now = time.monotonic()
            if fault.status is None or now - self._refused_at.setdefault(clients.name, now) < self.patience:
                raise
            doubt.checked(clients.name)
            log.error("account not looked through after a gap, goes on", account=clients.name, fault=str(fault))
            return False

    def _look_through(self, clients: AccountClients, doubt: Doubt) -> bool:
        view = VendorView.read(clients)
        known = [one for one in doubt.renders(sorted(view.by_render or ())) if one]
        for one in known:
            waits = one.state in (State.ACCEPTED, HELD) and not one.project_id
            proofs = [
                row for row in view.of(one.id) if row.attempt > one.attempt or (waits and row.attempt == one.attempt)
            ]
            proof = next((row for row in proofs if not view.earlier(row, one.accepted_at)), None)
            if proof:
                later = proof.attempt > one.attempt
                why = f"the vendor has a later attempt of render {one.id}" if later else _WHY.format(one.id)
                if doubt.begin(why, since=doubt.gap()):
                    log.error("the ledger is in doubt", why=why)
                return False
        fresh = unknown(view, attempts(known), clients.name)
        drafts = {(one.render_id, one.project.attempt): one.project.number for one in fresh if one.project}
        doubt.remember(clients.name, drafts, since=doubt.gap(), seconds=self.retention)
        doubt.checked(clients.name)
        log.info("account looked through after a gap", account=clients.name, unknown_projects=len(drafts))
        return False
