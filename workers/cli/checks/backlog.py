"""Checks of what needs a person: unconfirmed renders, dead letters, alarms, accounts that cannot go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from renderline.drafts import tag
from renderline.explanation.wording import counted
from renderline.ledger import Alarm, Commands, Doubt, HookQueue, HookQueues, Ledger, Queries, iso
from renderline.ledger.quarantine import Quarantine, Totals
from renderline.renders import State
from workers.cli.checks.result import CheckResult

_MANY = 1000
_UNREAD = 1000
"""Messages from which on a queue of hooks counts as one that nobody reads."""
_FEW = 5
"""How many alarms are listed one by one."""
_REFUND = "find the tag in the vendor's dashboard: if the draft was rendered, ask the vendor for the credit"
_NO_ANSWER = (
    "check the vendor's status and the account's base URL; calls resume by themselves, or now: renderline resume"
)
_NO_CREDIT = "check its credit; then renderline resume, or wait: one submission is attempted every five minutes"


def check(ledger: Ledger, queries: Queries, commands: Commands) -> Iterator[CheckResult]:
    """Yield a result for each thing that needs a person."""
    if doubt := Doubt(ledger).state():
        detail = f"it is in doubt since {iso(doubt.at)}, and nothing goes on: {doubt.why}"
        yield CheckResult("ledger", "fail", detail, "renderline reconcile, then renderline reconcile --apply")
    unconfirmed = queries.counts([State.UNCONFIRMED])[State.UNCONFIRMED]
    yield _waiting(
        "unconfirmed",
        unconfirmed,
        "renders whose paid call has an unknown outcome",
        "renderline list --state unconfirmed; most are confirmed by polls, else renderline adopt, resubmit or fail",
    )
    dead = len(queries.dead_letters(limit=_MANY))
    yield _waiting("dead letters", dead, "hooks are dead letters", "renderline dead list; then replay or discard them")
    paused = commands.paused()
    held = commands.holds()
    for account, reason in held.items():
        yield CheckResult(f"account {account}", "warn", f"the vendor refuses it: {reason}", _NO_CREDIT)
    for account in sorted(commands.open_circuits()):
        detail = "the vendor does not answer: its work waits, and one call at a time probes"
        yield CheckResult(f"account {account}", "warn", detail, _NO_ANSWER)
    yield from of_alarms(commands.alarms(limit=_MANY))
    yield from _quarantined(Quarantine(ledger.redis, prefix=ledger.prefix).totals())
    strangers = sorted(commands.accounts_without_worker())
    what = f"accounts have work, and no live worker knows them: {', '.join(strangers)}"
    yield _waiting("unknown accounts", len(strangers), what, "start a worker whose settings name them")
    yield from of_hook_queues(HookQueues(ledger).all())
    yield _waiting("paused", len(paused), f"accounts are paused: {', '.join(sorted(paused))}", "renderline resume")


def of_alarms(alarms: Sequence[Alarm]) -> Iterator[CheckResult]:
    """Yield the results for webhooks about revoked drafts: the newest ones, and how many more there are."""
    if not alarms:
        yield CheckResult("alarms", "ok", "none")
    for one in alarms[:_FEW]:
        which = f"render {one.render_id}, attempt {one.attempt}, draft {one.draft}"
        detail = f"the vendor called at {iso(one.at)} about a revoked draft: {which}, tag {tag(*one[:3])}"
        yield CheckResult("alarms", "warn", detail, _REFUND)
    if len(alarms) > _FEW:
        yield CheckResult("alarms", "warn", f"{len(alarms) - _FEW} more", "the log has each, with its tag")


def _quarantined(totals: Totals) -> Iterator[CheckResult]:
    seen = ", ".join(f"{place} {count}" for place, count in totals.seen.items())
    what = f"messages or records could not be read{f'; messages so far: {seen}' if seen else ''}"
    yield _waiting("quarantine", totals.kept, what, "renderline quarantine list; then requeue or drop them")
    if totals.not_kept_whole:
        went = counted(totals.not_kept_whole, "request")
        detail = f"it was full: {went} went to where only the newest entries stay"
        yield CheckResult("quarantine", "warn", detail, "requeue or drop what is there: renderline quarantine list")


def of_hook_queues(queues: Sequence[HookQueue]) -> Iterator[CheckResult]:
    """Yield the results for the queues that celery hooks feed: those in which many messages wait."""
    unread = [one for one in queues if one.waiting >= _UNREAD]
    if not unread:
        yield CheckResult("hook queues", "ok", "none")
    for one in unread:
        detail = f"{one.waiting:,} messages wait in the queue {one.name}, which hooks fill with {', '.join(one.tasks)}"
        advice = "start a consumer of it, or delete the queue; RENDERLINE_HOOK_QUEUE_LIMIT bounds it"
        yield CheckResult("hook queues", "warn", detail, advice)


def _waiting(check_name: str, count: int, what: str, advice: str) -> CheckResult:
    if not count:
        return CheckResult(check_name, "ok", "none")
    return CheckResult(check_name, "warn", f"{count}{'+' if count >= _MANY else ''} {what}", advice)
