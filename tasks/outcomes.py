"""The outcomes of the use cases in words, and whether the work failed for good."""

from __future__ import annotations

from renderline.hooks import outcome as hooks
from renderline.retry import RetryIn
from renderline.submission import outcome as submissions
from tasks.run_report import Ending


def of_submission(outcome: submissions.Outcome) -> Ending:
    """Return the ending of a submission."""
    match outcome:
        case submissions.Submitted(state):
            return Ending(f"{state}: no answer to the paid call" if state == "unconfirmed" else state)
        case submissions.Refused(error):
            return Ending(f"failed: {error}" if error else "failed", failed=True)
        case submissions.Parked(why):
            return Ending(f"parked: {why}")
        case RetryIn(seconds, why):
            return Ending(f"again in {seconds:.0f} s: {why}")
        case submissions.NotMyTurn(why):
            return Ending(why if why.startswith("parked: ") else _nothing_done(why))


def of_hook(index: int, outcome: hooks.Outcome) -> Ending:
    """Return the ending of a run of the hook at `index` (from 0)."""
    match outcome:
        case hooks.Done("dead-lettered", why):
            return Ending(f"hook {index} dead-lettered: {why}", failed=True)
        case hooks.Done("over"):
            return Ending(f"hook {index}: nothing to do, it has ended")
        case hooks.Done(how):
            return Ending(f"hook {index} {how}")
        case RetryIn(seconds, why):
            return Ending(f"hook {index} failed, again in {seconds:.0f} s: {why}")
        case hooks.NotMyTurn(why):
            return Ending(f"hook {index}: {_nothing_done(why)}")


def _nothing_done(why: str) -> str:
    return f"nothing done: {why}" if why else "nothing done: it is not its turn"
