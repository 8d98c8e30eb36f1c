"""The domain's use cases that the tasks call, composed once per process by `workers` and carried by the Celery app."""

from __future__ import annotations

from dataclasses import dataclass

from renderline.acceptance import Acceptor
from renderline.aside import Aside
from renderline.delivery import Deliverer
from renderline.errands import Errands
from renderline.ledger import Ledger, ServerClock
from renderline.polling import Poller
from renderline.roster import Roster
from renderline.submission import Submitter
from renderline.sweeping import Sweeper
from tasks.dispatch import CeleryDispatcher


@dataclass(frozen=True)
class Services:
    """One process's use cases."""

    ledger: Ledger
    dispatcher: CeleryDispatcher
    acceptor: Acceptor
    submitter: Submitter
    poller: Poller
    deliverer: Deliverer
    sweeper: Sweeper
    errands: Errands
    clock: ServerClock
    roster: Roster
    aside: Aside | None = None
    """Where announced calls wait for the ledger's disk; None where they do not wait."""
