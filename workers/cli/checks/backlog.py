"""Checks of what waits for a person: uncertain renders, dead letters, paused accounts."""

from __future__ import annotations

from collections.abc import Iterator

from renderline.ledger import Ledger, Listing, Operations
from renderline.ledger.quarantine import Quarantine
from renderline.renders import State
from workers.cli.checks.finding import Finding

_MANY = 1000
_PAY = "see to its credit; then renderline resume, or wait: one submission tries every five minutes"


def check(ledger: Ledger, listing: Listing, operations: Operations) -> Iterator[Finding]:
    """Yield a finding for each thing that may wait for a decision."""
    unconfirmed = listing.counts([State.UNCONFIRMED])[State.UNCONFIRMED]
    yield _waiting(
        "unconfirmed",
        unconfirmed,
        "renders whose paid call nobody saw the end of",
        "renderline list --state unconfirmed; most settle by themselves, else renderline adopt, resubmit or fail",
    )
    dead = len(listing.dead_letters(limit=_MANY))
    yield _waiting("dead letters", dead, "hooks were given up", "renderline dead list; then replay or discard them")
    paused = operations.paused()
    held = operations.held()
    for account, reason in held.items():
        yield Finding(f"account {account}", "warn", f"the vendor refuses it: {reason}", _PAY)
    quarantined = Quarantine(ledger.redis, prefix=ledger.prefix).size()
    what = "messages or records could not be read and were set aside"
    yield _waiting("quarantine", quarantined, what, "renderline quarantine list")
    strangers = sorted(operations.unserved())
    what = f"accounts have work, and no worker that lives knows them: {', '.join(strangers)}"
    yield _waiting("unknown accounts", len(strangers), what, "start a worker whose settings name them")
    yield _waiting("paused", len(paused), f"accounts are paused: {', '.join(sorted(paused))}", "renderline resume")


def _waiting(check_name: str, count: int, what: str, advice: str) -> Finding:
    if not count:
        return Finding(check_name, "ok", "none")
    return Finding(check_name, "warn", f"{count}{'+' if count >= _MANY else ''} {what}", advice)
