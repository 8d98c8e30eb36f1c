"""Checks of what waits for a person: uncertain renders, dead letters, alarms, accounts that are held or away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from renderline.drafts import tag
from renderline.ledger import Alarm, Commands, Ledger, Queries, iso
from renderline.ledger.quarantine import Quarantine
from renderline.renders import State
from workers.cli.checks.finding import PollResult

_MANY = 1000
_FEW = 5
"""So many alarms are told one by one."""
_REFUND = "look for the tag in the vendor's dashboard: if it was rendered, it was paid for in vain; ask for the credit"
_AWAY = "see to the vendor's status and the account's base URL; it goes on by itself, or tries now: renderline resume"
_PAY = "see to its credit; then renderline resume, or wait: one submission tries every five minutes"


def check(ledger: Ledger, listing: Queries, operations: Commands) -> Iterator[PollResult]:
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
    held = operations.holds()
    for account, reason in held.items():
        yield PollResult(f"account {account}", "warn", f"the vendor refuses it: {reason}", _PAY)
    for account in sorted(operations.open_circuits()):
        detail = "its vendor does not answer: its work waits, and one call at a time tries"
        yield PollResult(f"account {account}", "warn", detail, _AWAY)
    yield from of_alarms(operations.alarms(limit=_MANY))
    quarantined = Quarantine(ledger.redis, prefix=ledger.prefix).size()
    what = "messages or records could not be read and were set aside"
    yield _waiting("quarantine", quarantined, what, "renderline quarantine list")
    strangers = sorted(operations.accounts_without_worker())
    what = f"accounts have work, and no worker that lives knows them: {', '.join(strangers)}"
    yield _waiting("unknown accounts", len(strangers), what, "start a worker whose settings name them")
    yield _waiting("paused", len(paused), f"accounts are paused: {', '.join(sorted(paused))}", "renderline resume")


def of_alarms(alarms: Sequence[Alarm]) -> Iterator[PollResult]:
    """Yield the verdict on webhooks about drafts that were revoked: the newest ones, and how many more there are."""
    if not alarms:
        yield PollResult("alarms", "ok", "none")
    for one in alarms[:_FEW]:
        which = f"render {one.render_id}, attempt {one.attempt}, draft {one.draft}"
        detail = f"the vendor called at {iso(one.at)} about a revoked draft: {which}, tag {tag(*one[:3])}"
        yield PollResult("alarms", "warn", detail, _REFUND)
    if len(alarms) > _FEW:
        yield PollResult("alarms", "warn", f"{len(alarms) - _FEW} more", "the log has each, with its tag")


def _waiting(check_name: str, count: int, what: str, advice: str) -> PollResult:
    if not count:
        return PollResult(check_name, "ok", "none")
    return PollResult(check_name, "warn", f"{count}{'+' if count >= _MANY else ''} {what}", advice)
