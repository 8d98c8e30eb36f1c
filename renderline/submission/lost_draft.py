"""Recovery of a lost draft: the vendor may have made it, but the answer was lost."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from renderline.drafts import find_by_name, has_begun, is_earlier
from renderline.kinds import CallResult, Stage
from renderline.studio import ProjectMissing
from renderline.submission.plan_run import PlanRun
from renderline.submission.recorder import SubmissionRecorder

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Recovered:
    """The rest of the plan. `exported` is the project's id if its export was started already."""

    plan: tuple[Stage, ...]
    exported: str | None = None


def recover_draft(run: PlanRun, plan: tuple[Stage, ...], recorder: SubmissionRecorder) -> Recovered:
    """Adopt the draft of an announced call without an answer, if the vendor's project list shows it.

    The draft may be exported already: a ledger that lost its last writes does not know that.
    """
    claim = run.claim
    found = find_by_name(run.clients, claim.id, claim.attempt, claim.draft) if plan[0].findable else None
    try:
        if found is not None and is_earlier(run.clients, found, claim.intent_at):
            log.info("a project of an earlier render with this key is left alone", render_id=claim.id, project_id=found)
            found = None
        begun = found is not None and has_begun(run.kind, run.clients, found)
    except ProjectMissing:
        found = None  # deleted since the list was read
    run.unaccounted = False
    if not found:
        return Recovered(plan)
    log.info("lost draft found by its name", render_id=claim.id, project_id=found, exported=begun)
    run.context.project_id = found
    if plan[1:]:
        recorder.advance(claim, plan[1], CallResult(found))
    return Recovered(plan[1:], found if begun else None)
