"""The steps of a submission: claim it, record its vendor calls, and start polling or release it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from renderline.ledger.claims import PumpWake, Submission
from renderline.ledger.durability import NotSynced
from renderline.ledger.parsing import submission_of, wake_of
from renderline.ledger.steps import Steps

UNKNOWN_AFTER = 86_400.0
"""Seconds for which work that no worker knows is kept for one that does."""

_WHY_UNCLAIMED = {"over": "it is submitted already, or ended", "busy": "another worker submits it"}
_LEFT = "it is left to workers of its version of records: "

MOST_WARNINGS = 20
"""Warnings of workers that a record keeps."""


class AccountUnknown(LookupError):
    """No live worker has known the account of this render for a long time."""


class ForeignProject(ValueError):
    """The vendor answered with a project that belongs to another render."""


class SubmissionSteps(Steps):
    """The part of the ledger for submissions."""

    def claim_submission(
        self,
        render_id: str,
        *,
        lease: float,
        calls: int = 2,
        first: Mapping[str, str] | None = None,
        hanging: Sequence[str] = (),
        following: Callable[[Sequence[tuple[str, str]]], object] | None = None,
        known: Sequence[str] = (),
        unknown_after: float = UNKNOWN_AFTER,
        apis: Mapping[str, str] | None = None,
        paid: Sequence[str] = (),
        unclaimed: Callable[[str], object] | None = None,
        findable: Mapping[str, str] | None = None,
    ) -> Submission | None:
        """Claim a render's submission, which takes about `calls` vendor calls, for `lease` seconds.

        `first` has, by kind, the free stage that begins its plan: a new submission announces that call in the same
        step. Renders of accounts that are `hanging` in this process are parked.

        Returns None if it is over or another worker has the claim. Returns None, and parks it, if its account may not
        go on (backoff, circuit, rate limit, slots, pause).

        Accounts that are not `known` (none: all are) are left to other workers: their renders are parked. Raises
        `AccountUnknown` if none has known the account for `unknown_after` seconds. The same holds for the API that
        `apis` names for a kind (such as `v2`): `known` has `v2:main` if this process may use it. An announced call of a
        stage in `paid` is resolved even if the account is unknown.

        `findable` has, by kind, the first stage, if its project is found by name: an attempt with a project that the
        ledger did not know when it was reconciled begins with that call announced.

        `following` receives the next renders (id, priority) of the account, to be sent. `unclaimed` receives why there
        is no claim.
        """
        onward = 1 if following else 0
        status, next_ones, *rest = self.run(
            "submit_claim",
            render_id,
            lease,
            calls,
            json.dumps(first or {}),
            ",".join(hanging),
            onward,
            ",".join(known),
            unknown_after,
            json.dumps(dict(apis or {})),
            ",".join(paid),
            self.seen,
            json.dumps(dict(findable or {})),
        )
        if following and next_ones:
            following([(one, priority) for one, priority in next_ones])
        if status == "unknown":
            what = f"had the {rest[0]} credentials of its account" if rest[0] else "knew its account"
            raise AccountUnknown(f"no worker {what} for {unknown_after:g} s")
        if status != "yours":
            if unclaimed and status == "newer":
                unclaimed(_LEFT + rest[0])
            elif unclaimed:
                unclaimed(_WHY_UNCLAIMED.get(status) or f"parked: {rest[0] if rest else 'its account may not go on'}")
            return None
        return self.readable(render_id, "", lambda: submission_of(render_id, *rest))

    def warn(self, claim: Submission, texts: Sequence[str]) -> bool:
        """Add warnings to the record, each once; False if the claim was lost."""
        return bool(self.run("submit_warn", claim.id, claim.fence, json.dumps(list(texts)), MOST_WARNINGS))

    def record_intent(self, claim: Submission, stage: str, *, lease: float) -> bool:
        """Announce the call of `stage`; False if the claim was lost: then do not call."""
        return bool(self.run("submit_intend", claim.id, claim.fence, stage, lease))

    def replicate_intent(
        self, claim: Submission, stage: str, *, lease: float, replicas: int, patience: float = 2.0
    ) -> bool:
        """Announce the call of `stage` again, and wait until so many replicas have it; False if the claim was lost.

        Both go over one connection, so the replicas are those of the server that took the announcement. One that was
        frozen while another was promoted has none left. Raises `NotSynced` after `patience` seconds.
        """
        with self.redis.pipeline(transaction=False) as pipe:
            self.run("submit_intend", claim.id, claim.fence, stage, lease, client=pipe)
            pipe.execute_command("WAIT", replicas, int(patience * 1000))
            mine, reached = pipe.execute()
        if mine and reached < replicas:
            raise NotSynced(f"{reached} of {replicas} replicas have its announcement")
        return bool(mine)

    def advance(
        self,
        claim: Submission,
        *,
        stage: str,
        project_id: str | None = None,
        baseline: str | None = None,
        lease: float | None = None,
        made: bool = False,
        data: Mapping[str, Any] | None = None,
    ) -> bool:
        """Record that a free stage is done and `stage` comes next; False if the claim was lost: then call nothing.

        `data` is added to what earlier stages recorded for later ones.

        With `lease` the call of `stage` is announced in the same step, as `record_intent` does. `made`: our call made
        that project. Raises `ForeignProject`, and records nothing, if the project belongs to another render.
        """
        fields = (project_id or "", baseline or "", "" if lease is None else lease, int(made), _data(claim, data))
        answer = self.run("submit_advance", claim.id, claim.fence, stage, *fields)
        return _recorded(answer, project_id)

    def start(
        self,
        claim: Submission,
        *,
        confirmed: bool,
        project_id: str | None,
        poll_in: float,
        fallback_in: float | None = None,
        made: bool = False,
        stage: str = "",
        data: Mapping[str, Any] | None = None,
        shown: tuple[float, float] = (0.0, 100.0),
    ) -> tuple[bool, PumpWake | None]:
        """Record that the paid call was made, `confirmed` or with an unknown outcome, and when to poll first.

        `stage` is the paid stage, `shown` the part of the render's progress that it shows while it is followed.

        `made`: our call made that project; if it belongs to another render, the outcome is unknown. `fallback_in` is
        the delay of the first poll if the account's webhooks arrive. A webhook that came before the answer confirms it.
        Returns whether it was recorded (False: the claim was lost) and the pump to wake.
        """
        state = "rendering" if confirmed else "unconfirmed"
        later = poll_in if fallback_in is None or not confirmed else fallback_in
        part = ("", "") if shown == (0.0, 100.0) else shown
        details = (project_id or "", poll_in, later, int(made), stage, _data(claim, data), *part)
        recorded, wake = self.run("submit_start", claim.id, claim.fence, state, *details)
        return bool(recorded), wake_of(claim.account, wake)

    def complete(
        self,
        claim: Submission,
        *,
        stage: str,
        project_id: str | None = None,
        url: str | None = None,
        data: Mapping[str, Any] | None = None,
        made: bool = False,
    ) -> bool:
        """Record that the plan ended with the call of `stage`: with a draft, or with a file at `url`.

        False if the claim was lost. Raises `ForeignProject`, and records nothing, if the project belongs to another
        render; `made`: our call made it.
        """
        details = (stage, project_id or "", url or "", _data(claim, data), int(made))
        answer = self.run("submit_complete", claim.id, claim.fence, *details)
        return _recorded(answer, project_id)

    def mark_orphan(self, claim: Submission) -> None:
        """Mark a draft that may exist from a lost claim. Cleanup deletes it if no record refers to it."""
        self.run("mark_orphan", claim.account, claim.id, claim.attempt)

    def release(
        self,
        claim: Submission,
        *,
        retry_in: float,
        note: str,
        keep_intent: bool = False,
        failed: bool = False,
        park: bool = False,
    ) -> bool:
        """Release a submission until a retry in `retry_in` seconds; `note` says why, in the record.

        `failed`: it counts as a failure of this render. `park`: it waits until its account may go on, as in
        `claim_submission`. `keep_intent`: the outcome of the announced call is unknown; the next claim has to check it
        first.
        """
        flags = (int(keep_intent), int(failed), int(park))
        return bool(self.run("submit_release", claim.id, claim.fence, retry_in, note, *flags))

    def fail(self, render_id: str, *, code: str, message: str, origin: str, fence: str = "") -> bool:
        """End a render as failed; False if it had ended already or the claim `fence` was lost."""
        return bool(self.run("fail", render_id, fence, code, message, origin))


def _data(claim: Submission, data: Mapping[str, Any] | None) -> str:
    """Return the JSON of what the stages recorded, with that of the newest one; empty if it has none."""
    return json.dumps({**claim.data, **data}, separators=(",", ":")) if data else ""


def _recorded(answer: int, project_id: str | None) -> bool:
    """Return whether a step recorded its call; raises `ForeignProject` if the project is another render's."""
    if answer == 2:
        raise ForeignProject(f"project {project_id} belongs to another render")
    return bool(answer)
