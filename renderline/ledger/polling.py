"""The steps of polling: claim the due polls of an account, record their results, and end a pump run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

import structlog
from redis import ResponseError

from renderline.ledger.claims import Batch, PollResult
from renderline.ledger.parsing import due_poll_of, wake_of
from renderline.ledger.steps import Steps

log = structlog.get_logger(__name__)

_UNRECORDED = "the poll result could not be recorded"
_UNRECORDED_AGAIN = 60.0


class PollSteps(Steps):
    """The part of the ledger for polls."""

    def claim_due_polls(self, account: str, *, slot: int, ticket: int, limit: int, lease: float) -> Batch | None:
        """Claim up to `limit` due renders of an account for `lease` seconds; None if the ticket is an old one."""
        status, now, items, more, webhooks_alive = self.run("poll_claim", account, slot, ticket, limit, lease)
        if status == "stale":
            return None
        read = partial(due_poll_of, webhooks_alive=bool(webhooks_alive))
        polls = [self.readable(item[0], account, partial(read, item)) for item in items]
        return Batch(now=float(now), polls=[one for one in polls if one], more=wake_of(account, more))

    def record_poll_results(self, results: Sequence[PollResult]) -> list[tuple[str, str]]:
        """Record poll results; returns (id, new state) of the renders that changed state.

        A result with an old epoch changes nothing. A result that cannot be recorded counts as a failed poll; the others
        are recorded.
        """
        if not results:
            return []
        try:
            moved = self.run("poll_record", json.dumps([one.as_json() for one in results], ensure_ascii=False))
        except (ResponseError, ValueError, RecursionError) as error:
            if len(results) > 1:
                return [change for one in results for change in self.record_poll_results([one])]
            (result,) = results
            if result.message == _UNRECORDED:
                raise
            log.error("result not recorded", render_id=result.id, status=result.status, why=type(error).__name__)
            spare = PollResult(result.id, result.epoch, "error", poll_in=_UNRECORDED_AGAIN, message=_UNRECORDED)
            return self.record_poll_results([spare])
        return [(one, state) for one, state in moved]

    def begin_revocation(self, render_id: str, *, epoch: int, project_id: str) -> bool:
        """Record that the draft of an unconfirmed render is about to be deleted; False: then do not delete it.

        `epoch` is that of the poll that saw no sign of a start.
        """
        return bool(self.run("revoke", render_id, epoch, project_id))

    def sleep_pump(
        self, account: str, *, slot: int, ticket: int, limit: int, gather: float = 0.0, least: float = 0.0
    ) -> tuple[float, int] | None:
        """End a pump run; returns the delay (seconds) and the ticket of its next run, None if none is needed.

        The next run comes when `limit` renders are due, or one has been due for `gather` seconds; at the earliest in
        `least` seconds.
        """
        answer = self.run("pump_sleep", account, slot, ticket, limit, gather, least)
        return (float(answer[0]), int(answer[1])) if answer else None
