"""The ledger: every render's record in Redis, changed only by atomic, fenced steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog
from redis import Redis, ResponseError

from renderline.ledger.accept import AcceptResult, Entry, record_each, record_together
from renderline.ledger.capabilities import Capabilities
from renderline.ledger.claims import Batch, HookClaim, PollResult, PumpWake, Submission
from renderline.ledger.keys import PREFIX, Keys
from renderline.ledger.parsing import answers_of, due_poll_of, fields_of, record_of, submission_of, wake_of
from renderline.ledger.record import UNREADABLE, load_history, load_meta, public_record
from renderline.ledger.script import Scripts
from renderline.ledger.sweep import SweepSteps

log = structlog.get_logger(__name__)

T = TypeVar("T")

_UNRECORDED = "the poll result could not be recorded"
_UNRECORDED_AGAIN = 60.0

# Other packages add kinds of hooks: their outcome fields must not overwrite the ledger's own in the record.
_OUTCOME_FIELDS = ("stored_url",)


UNKNOWN_AFTER = 86_400.0
"""Seconds for which work that no worker knows is kept for one that does."""


class AccountUnknown(LookupError):
    """No live worker has known the account of this render for a long time."""


class KeyConflict(ValueError):
    """The idempotency key was used before with another request."""


class ForeignProject(ValueError):
    """The vendor answered with a project that belongs to another render."""


class Ledger(SweepSteps, Capabilities):
    """Reads and changes render records. All times are epoch seconds of the Redis server's clock.

    `grace` is how long (seconds) a render may stall before the sweep sends its message again. `clock` replaces the
    server's clock in tests. Every method raises `redis.RedisError` if the server cannot be reached.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        prefix: str = PREFIX,
        grace: float = 30.0,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.redis, self.prefix, self.keys = redis, prefix, Keys(prefix)
        self.run = Scripts(redis, prefix=prefix, grace=grace, clock=clock).run

    # -- accepting and reading

    def accept(
        self,
        render_id: str,
        *,
        kind: str,
        account: str,
        priority: str,
        deadline: float,
        meta: dict[str, Any],
        body: str,
        fingerprint: str,
    ) -> bool:
        """Record a render once and return whether it is new.

        `meta` holds `name`, `hooks` and `metadata`; `body` is the stored request (JSON). Raises `KeyConflict` if its id
        is that of another request.
        """
        return self.take(Entry(render_id, kind, account, priority, deadline, meta, body, fingerprint)).status == "new"

    def take(self, entry: Entry) -> AcceptResult:
        """Record a render once, as `accept` does; the result also says whether to send its submission now."""
        status, _, due = self.run("accept", *entry.arguments())
        if status == "conflict":
            raise KeyConflict(f"render {entry.render_id} was accepted with another request under the same key")
        return AcceptResult(status, bool(due))

    def accept_all(self, entries: Sequence[Entry], *, together: bool) -> list[AcceptResult]:
        """Record many renders in one round trip.

        With `together` all are recorded in one transaction; if one is a `conflict`, none is, and the others are `left`.
        """
        if together:
            return record_together(self.redis, self.run, entries, keys=self.keys)
        return record_each(self.redis, self.run, entries)

    def record(self, render_id: str) -> dict[str, Any] | None:
        """Return the public record of a render, or None if there is none."""
        return self.records([render_id])[0]

    def records(self, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Return the public records of several renders in one round trip, None where there is none."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hgetall(self.keys.render(one))
                pipe.mget(self.keys.meta(one), self.keys.history(one))
            raw = answers_of(pipe.execute(raise_on_error=False))
        return [
            record_of(one, fields, texts) if fields else None
            for one, fields, texts in zip(ids, raw[::2], raw[1::2], strict=True)
        ]

    def hooks_of(self, render_id: str) -> list[dict[str, Any]]:
        """Return the hook objects of a render in the request's order."""
        return load_meta(str(self.redis.get(self.keys.meta(render_id)) or "")).get("hooks", [])

    def drafts(self, ids: Sequence[str]) -> list[int]:
        """Return, for each render, the number of its current draft."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hget(self.keys.render(one), "draft")
            return [int(found or 1) for found in pipe.execute()]

    def priority_of(self, render_id: str) -> str:
        """Return the priority of a render; `normal` if it is gone."""
        return str(self.redis.hget(self.keys.render(render_id), "priority") or "normal")

    # -- submitting

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

        `following` receives the next renders (id, priority) of the account, to be sent.
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
        )
        if following and next_ones:
            following([(one, priority) for one, priority in next_ones])
        if status == "unknown":
            what = f"had the {rest[0]} credentials of its account" if rest[0] else "knew its account"
            raise AccountUnknown(f"no worker {what} for {unknown_after:g} s")
        if status != "yours":
            return None
        return self._readable(render_id, "", lambda: submission_of(render_id, *rest))

    def record_intent(self, claim: Submission, stage: str, *, lease: float) -> bool:
        """Announce the call of `stage`; False if the claim was lost: then do not call."""
        return bool(self.run("submit_intend", claim.id, claim.fence, stage, lease))

    def advance(
        self,
        claim: Submission,
        *,
        stage: str,
        project_id: str | None = None,
        baseline: str | None = None,
        lease: float | None = None,
        made: bool = False,
    ) -> bool:
        """Record that a free stage is done and `stage` comes next; False if the claim was lost: then call nothing.

        With `lease` the call of `stage` is announced in the same step, as `intend` does. `made`: our call made that
        project. Raises `ForeignProject`, and records nothing, if the project belongs to another render.
        """
        fields = (project_id or "", baseline or "", "" if lease is None else lease, int(made))
        answer = self.run("submit_advance", claim.id, claim.fence, stage, *fields)
        if answer == 2:
            raise ForeignProject(f"project {project_id} belongs to another render")
        return bool(answer)

    def start(
        self,
        claim: Submission,
        *,
        confirmed: bool,
        project_id: str | None,
        poll_in: float,
        fallback_in: float | None = None,
        made: bool = False,
    ) -> tuple[bool, PumpWake | None]:
        """Record that the paid call was made, `confirmed` or with an unknown outcome, and when to poll first.

        `made`: our call made that project; if it belongs to another render, the outcome is unknown. `fallback_in` is
        the delay of the first poll if the account's webhooks arrive. A webhook that came before the answer confirms it.
        Returns whether it was recorded (False: the claim was lost) and the pump to wake.
        """
        state = "rendering" if confirmed else "unconfirmed"
        later = poll_in if fallback_in is None or not confirmed else fallback_in
        recorded, wake = self.run(
            "submit_start", claim.id, claim.fence, state, project_id or "", poll_in, later, int(made)
        )
        return bool(recorded), wake_of(claim.account, wake)

    def mark_orphan(self, claim: Submission) -> None:
        """Mark a draft made under a lost claim for the orphan sweep, which deletes it if no record refers to it."""
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

    # -- polling

    def claim_due_polls(self, account: str, *, slot: int, ticket: int, limit: int, lease: float) -> Batch | None:
        """Claim up to `limit` due renders of an account for `lease` seconds; None if the ticket is an old one."""
        status, now, items, more, webhooks_alive = self.run("poll_claim", account, slot, ticket, limit, lease)
        if status == "stale":
            return None
        read = partial(due_poll_of, webhooks_alive=bool(webhooks_alive))
        polls = [self._readable(item[0], account, partial(read, item)) for item in items]
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

    # -- hooks

    def claim_hook(self, render_id: str, index: int, *, lease: float) -> HookClaim:
        """Claim one hook of a finished render for `lease` seconds."""
        status, fence, seconds, following, *rest = self.run("hook_claim", render_id, index, lease)
        claim = HookClaim(status, fence, float(seconds), following=_hooks(following))
        if not rest:
            return claim
        probe, flat, meta, history = rest

        def read() -> HookClaim:
            known = load_meta(meta)
            record = public_record(render_id, fields_of(flat), known, load_history(history))
            return replace(claim, record=record, hook=known["hooks"][index], probe=bool(probe))

        return self._readable(render_id, "", read) or replace(claim, status="over")

    def record_hook(
        self,
        render_id: str,
        index: int,
        claim: HookClaim,
        *,
        outcome: str,
        retry_in: float = 0.0,
        error: str = "",
        fields: Mapping[str, Any] | None = None,
        dispose: bool = False,
        host: str = "",
        following: Callable[[Sequence[tuple[str, int]]], object] | None = None,
    ) -> str:
        """Record one delivery of a hook (delivered, dead, skipped, retrying); returns the render's state.

        `fields` are outcome fields for the record; of those of a hook, only `stored_url` is kept. `host` is where it
        went. `dispose`: the vendor project is deleted once the video is stored and all hooks are delivered. `following`
        receives the hooks (render id, index) to send now: those that waited for this one or for its place.
        """
        kept = {name: str(fields[name]) for name in _OUTCOME_FIELDS if fields and fields.get(name)}
        extra = json.dumps(kept, ensure_ascii=False)
        details = (outcome, retry_in, error, extra, int(dispose), host)
        _, state, next_ones = self.run("hook_record", render_id, index, claim.fence, *details)
        if following and next_ones:
            following(_hooks(next_ones))
        return state

    def defer_hook(self, render_id: str, index: int, claim: HookClaim, *, host: str) -> tuple[tuple[str, int], ...]:
        """Release a hook that was not called: it waits for `host`, or (empty) for any worker with a free thread.

        Returns the hooks (render id, index) to send instead.
        """
        return _hooks(self.run("hook_defer", render_id, index, claim.fence, host))

    def queue_hooks(self, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Return the hooks (render id, index) of finished renders to be sent now; the others wait for their turn."""
        return _hooks(self.run("hook_queue", json.dumps(list(ids)))) if ids else ()

    def take_hooks(self, most: int) -> tuple[tuple[tuple[str, int], ...], list[str]]:
        """Claim up to `most` waiting hooks, to be sent; returns them and the hosts with an open circuit."""
        following, blocked = self.run("hook_take", most)
        return _hooks(following), list(blocked)

    def update_download_url(self, render_id: str, *, attempt: int, url: str) -> bool:
        """Record a new download URL; False if the record is gone or has another attempt."""
        return bool(self.run("download_url", render_id, attempt, url))

    def renew_hook(self, render_id: str, index: int, claim: HookClaim, *, lease: float) -> bool:
        """Keep the claim on a hook for another `lease` seconds; False if it was lost."""
        return bool(self.run("hook_renew", render_id, index, claim.fence, lease))

    def release_hook(self, render_id: str, index: int, claim: HookClaim, *, retry_in: float, note: str) -> float | None:
        """Release a hook of a kind unknown here; returns for how long no worker knew it, None if the claim was lost."""
        since = self.run("hook_release", render_id, index, claim.fence, retry_in, note)
        return float(since) if since else None

    # -- what cannot be read

    def quarantine(self, render_id: str, account: str, *, reason: str) -> None:
        """Take an unreadable record out of every schedule, and quarantine it."""
        log.error("record quarantined", render_id=render_id, account=account, reason=reason)
        self.run("quarantine", render_id, account, reason)

    def _readable(self, render_id: str, account: str, read: Callable[[], T]) -> T | None:
        """Return the result of `read` for a record; quarantine the record and return None if it is unreadable."""
        try:
            return read()
        except UNREADABLE as error:
            self.quarantine(render_id, account, reason=f"{type(error).__name__}: {error}")
            return None


def _hooks(answer: Sequence[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(one), int(index)) for one, index in answer)
