"""Reconciles a restored ledger with the vendor: finds the differences, and settles them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import structlog

from renderline.accounts.clients import AccountClients
from renderline.dispatcher import Dispatcher
from renderline.kinds import KINDS
from renderline.ledger import Audit, Doubt, Ledger, RecordedRender, Timeline
from renderline.polling.durations import Durations
from renderline.reconciliation.differences import Difference, Patience, attempts, difference, unknown
from renderline.reconciliation.vendor_view import VendorView
from renderline.studio import StudioFault
from renderline.tenants import Actor

log = structlog.get_logger(__name__)


class NotInDoubt(Exception):
    """The ledger is not in doubt, so there is nothing to reconcile."""


@dataclass(frozen=True)
class Report:
    """The differences that were found, and what could not be looked at."""

    differences: list[Difference]
    unread: dict[str, str]
    """By account, why the vendor could not be asked about it."""
    seen: int
    """How many unfinished renders were compared."""


@dataclass
class Settled:
    """What became of the differences that were to be settled."""

    done: list[Difference] = field(default_factory=list)
    refused: list[Difference] = field(default_factory=list)
    """Of renders that changed meanwhile."""


@dataclass(frozen=True)
class Reconciler:
    """Compares and settles. `retention` is for how many seconds unknown projects are remembered.

    `keeps_projects`: finished projects stay at the vendor, so that one that its list does not show was never finished.
    `patience` replaces the seconds after which a render that was submitted must be in the list.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    accounts: Mapping[str, AccountClients]
    retention: float
    keeps_projects: bool
    patience: float | None = None

    def find(self) -> Report:
        """Return all differences. Raises `NotInDoubt`."""
        doubt = Doubt(self.ledger)
        state = doubt.state()
        if state is None:
            raise NotInDoubt
        renders = doubt.unsettled()
        unread: dict[str, str] = {}
        found: list[Difference] = []
        for account in sorted({one.account for one in renders} | set(self.accounts)):
            clients = self.accounts.get(account)
            own = [one for one in renders if one.account == account]
            if clients is None:
                unread[account] = "no such account is configured here"
                continue
            try:
                found += self._of_account(clients, own, state.at)
            except StudioFault as fault:
                unread[account] = str(fault)
        return Report(found, unread, len(renders))

    def settle(self, chosen: Collection[Difference], *, actor: Actor) -> Settled:
        """Settle differences, each in one step of the ledger."""
        doubt, settled = Doubt(self.ledger), Settled()
        for one in chosen:
            done = self._settle(doubt, one)
            outcome = "done" if done else "refused: it has changed"
            self._audit.note(f"reconcile {one.proposal}", actor, f"render {one.render_id}", outcome)
            (settled.done if done else settled.refused).append(one)
            if done and one.render:
                Timeline(self.ledger).operation(one.render_id, f"reconcile {one.proposal}", by=str(actor))
        return settled

    def end(self, *, actor: Actor) -> None:
        """End the doubt: work goes on."""
        Doubt(self.ledger).end()
        self._audit.note("reconcile", actor, "ledger")
        self.dispatcher.unpark()

    @property
    def _audit(self) -> Audit:
        return Audit(self.ledger.redis, prefix=self.ledger.prefix)

    def _of_account(self, clients: AccountClients, own: list[RecordedRender], since: float) -> list[Difference]:
        view = VendorView.read(clients)
        durations = Durations(self.ledger)
        slowest = {kind: durations.typical(clients.name, kind).slow for kind in {one.kind for one in own}}
        seconds = {kind: 2 * slow for kind, slow in slowest.items() if slow is not None}
        patience = Patience(since, seconds, self.keeps_projects, self.patience)
        found = [one for one in (difference(render, view, patience) for render in own) if one]
        tagged = sorted(view.by_render or ())
        known = attempts(one for one in Doubt(self.ledger).renders(tagged) if one)
        adopted = [(one.render_id, one.project.attempt) for one in found if one.project]
        remembered = self.ledger.redis.hkeys(self.ledger.keys.unknown_projects(clients.name))
        noted = [
            (one, int(attempt)) for one, _, attempt in (str(name).partition(".") for name in cast(Any, remembered))
        ]
        return found + unknown(view, [*known, *adopted, *noted], clients.name)

    def _settle(self, doubt: Doubt, one: Difference) -> bool:
        if one.render is None:
            assert one.project
            drafts = {(one.render_id, one.project.attempt): one.project.number}
            state = doubt.state()
            doubt.remember(one.account, drafts, since=state.since if state else None, seconds=self.retention)
            return True
        kind, project = KINDS[one.render.kind], one.project
        action: Literal["adopt", "confirm", "fail"] = "confirm"
        if one.proposal in ("adopt", "fail"):
            action = one.proposal
        stage = one.render.stage
        if kind.owns_project:
            # Without a project all stages come anew; what is followed of one is its export.
            stage = kind.followed("export").name if project else ""
        done, wake = doubt.settle(
            one.render,
            action,
            project_id=project.project_id if project else None,
            attempt=project.attempt if project else None,
            draft=project.number if project else one.render.draft,
            stage=stage,
            resubmit_at=one.resubmit_at,
            message=one.reason,
            own=kind.owns_project,
        )
        self.dispatcher.poll(wake)
        return done
