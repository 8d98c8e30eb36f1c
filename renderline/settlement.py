"""Settling a render of whose paid call nobody saw the outcome: what is read at the vendor, and what that means."""

from __future__ import annotations

import time

from renderline.accounts import AccountClients
from renderline.kinds import KINDS, started_since
from renderline.ledger import Finding, Look
from renderline.schedule import PollPolicy
from renderline.studio import Project
from renderline.submission import find_by_name


def settle(
    clients: AccountClients, look: Look, *, offset: float, policy: PollPolicy, resubmit_after: float | None
) -> Finding:
    """Look at the vendor for evidence of an unconfirmed render and judge it; raises `StudioFault`.

    `offset` is what the ledger's clock is ahead of this process' monotonic one, in seconds.
    """
    kind = KINDS[look.kind]
    if kind.inspect and look.project_id:
        project = kind.inspect(clients, look.project_id)
        return of_project(look, project, now=time.monotonic() + offset, policy=policy)
    found = named(clients, look)
    now = time.monotonic() + offset
    if found:
        return Finding(look.id, look.epoch, "started", look_in=policy.least, project_id=found)
    why = "the project list does not show it" if nameable(look) else "this call leaves no trace to be looked for"
    return unsettled(look, now=now, policy=policy, why=why, resubmit_after=resubmit_after)


def nameable(look: Look) -> bool:
    """Return whether the paid call itself makes a project that carries the render's tag."""
    kind = KINDS[look.kind]
    return any(stage.named and stage.paid for stage in (*kind.two_phase, *kind.direct))


def named(clients: AccountClients, look: Look) -> str | None:
    """Return the project that carries the render's tag, None if none is shown or this kind leaves no such trace."""
    return find_by_name(clients, look.id, look.attempt) if nameable(look) else None


def of_project(look: Look, project: Project, *, now: float, policy: PollPolicy) -> Finding:
    """Judge the project of a render whose paid call had an unknown outcome.

    Any sign of a start means that it started. Two looks, `policy.settle` apart, that show none mean that it did not.
    """
    if started_since(project, look.baseline):
        return Finding(look.id, look.epoch, "started", look_in=policy.least, project_id=project.id)
    if look.untouched_at is not None and now - look.untouched_at >= policy.settle:
        return Finding(look.id, look.epoch, "resubmit")
    return Finding(look.id, look.epoch, "untouched", look_in=policy.settle)


def unsettled(look: Look, *, now: float, policy: PollPolicy, why: str, resubmit_after: float | None = None) -> Finding:
    """Judge a render of which no evidence was found: look again, less and less often, until its deadline.

    Only where the operator said after how many seconds without evidence (`resubmit_after`) is it submitted again.
    """
    if resubmit_after is not None and now - look.intent_at >= resubmit_after:
        return Finding(look.id, look.epoch, "resubmit")
    if now >= look.deadline_at:
        message = f"nobody saw whether the vendor accepted it, and no evidence came before its deadline: {why}"
        return Finding(look.id, look.epoch, "expired", code="unconfirmed", message=message, origin="renderline")
    wait = min(max(policy.settle, (now - look.since) * 0.5), policy.most, max(0.0, look.deadline_at - now))
    if resubmit_after is not None:
        wait = min(wait, max(0.0, look.intent_at + resubmit_after - now))
    return Finding(look.id, look.epoch, "wait", look_in=wait)
