"""The ledger: every render's record in Redis, changed only by atomic, fenced steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from redis import Redis

from renderline.ledger.claims import Batch, Finding, HookClaim, Kick, Look, Submission
from renderline.ledger.intake import Entry, record_each, record_together
from renderline.ledger.record import load_history, load_meta, public_record
from renderline.ledger.script import SETTLED_HOOKS, Scripts
from renderline.renders import FINAL

PREFIX = "renderline:"

SWEPT_AT_ONCE = 100
"""How many renders a step of the sweep sees to: Redis does nothing else meanwhile, for a few milliseconds."""

# Kinds of hooks come from other packages too: none may write over what the ledger keeps in the same record.
_OUTCOME_FIELDS = ("stored_url",)


class KeyConflict(ValueError):
    """The idempotency key was used before with another request."""


class Ledger:
    """Reads and changes render records. All times are epoch seconds of the Redis server's clock.

    `grace` is how long (seconds) a render may stand still before the sweep re-sends its message. `clock` replaces the
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
        self.redis, self.prefix = redis, prefix
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
        """Record a render once and return whether it is new; raise `KeyConflict` if its id stands for another request.

        `meta` holds `name`, `hooks` and `metadata`; `body` is the stored request (JSON).
        """
        entry = Entry(render_id, kind, account, priority, deadline, meta, body, fingerprint)
        verdict, _ = self.run("accept", *entry.arguments())
        if verdict == "conflict":
            raise KeyConflict(f"render {render_id} was accepted with another request under the same key")
        return verdict == "new"

    def accept_all(self, entries: Sequence[Entry], *, together: bool) -> list[str]:
        """Record many renders in one round trip; returns `new`, `known` or `conflict` for each.

        `together`: all in one transaction, or none if one is a conflict; the others are `left` then.
        """
        if together:
            return record_together(self.redis, self.run, entries, prefix=self.prefix)
        return record_each(self.redis, self.run, entries)

    def record(self, render_id: str) -> dict[str, Any] | None:
        """Return the public record of a render, or None if there is none."""
        return self.records([render_id])[0]

    def records(self, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Return the public records of several renders in one round trip, None where there is none."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hgetall(f"{self.prefix}render:{one}")
                pipe.mget(f"{self.prefix}meta:{one}", f"{self.prefix}history:{one}")
            raw = pipe.execute()
        return [
            public_record(one, fields, load_meta(meta), load_history(history)) if fields else None
            for one, fields, (meta, history) in zip(ids, raw[::2], raw[1::2], strict=True)
        ]

    def hooks_of(self, render_id: str) -> list[dict[str, Any]]:
        """Return the hook objects of a render in the request's order."""
        return load_meta(str(self.redis.get(f"{self.prefix}meta:{render_id}") or "")).get("hooks", [])

    def owed_hooks(self, ids: Sequence[str]) -> list[list[int]]:
        """Return, for each render, the indexes of its hooks that are not settled yet, in order."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hgetall(f"{self.prefix}render:{one}")
            return [_owed(fields) for fields in pipe.execute()]

    def priority_of(self, render_id: str) -> str:
        """Return the priority of a render; `normal` if it is gone."""
        return str(self.redis.hget(f"{self.prefix}render:{render_id}", "priority") or "normal")

    # -- submitting

    def begin_submission(
        self,
        render_id: str,
        *,
        lease: float,
        calls: int = 2,
        first: Mapping[str, str] | None = None,
        hanging: Sequence[str] = (),
    ) -> Submission | None:
        """Claim a render's submission, which takes about `calls` vendor calls, for `lease` seconds.

        `first` is by kind the name of the free stage with which its plan begins: the call of a submission that has not
        begun is announced in the same step. Renders of the accounts that are `hanging` in this process are parked.
        Returns None if it is over or in other hands, or if its account may not go on now (silence, outage, pace, slots,
        pause): then it is parked until `unpark` takes it.
        """
        verdict, *rest = self.run("submit_begin", render_id, lease, calls, json.dumps(first or {}), ",".join(hanging))
        if verdict != "yours":
            return None
        what, flat, meta, body, announced = rest
        fields = _fields(flat)
        return Submission(
            id=render_id,
            fence=what,
            kind=fields["kind"],
            account=fields["account"],
            attempt=int(fields.get("attempt", 1)),
            attempts=int(fields["attempts"]),
            failures=int(fields.get("failures", 0)),
            deadline=float(fields["deadline"]),
            stage=fields["stage"],
            intent=fields.get("intent"),
            announced=bool(announced),
            project_id=fields.get("project_id"),
            baseline=fields.get("baseline"),
            name=load_meta(meta).get("name") or "",
            body=body,
        )

    def intend(self, claim: Submission, stage: str, *, lease: float) -> bool:
        """Write down that the call of `stage` is about to be made; False if the claim was lost: then do not call."""
        return bool(self.run("submit_intend", claim.id, claim.fence, stage, lease))

    def advance(
        self,
        claim: Submission,
        *,
        stage: str,
        project_id: str | None = None,
        baseline: str | None = None,
        lease: float | None = None,
    ) -> bool:
        """Record that a free stage is done and `stage` comes next; False if the claim was lost: then call nothing.

        With `lease` the call of `stage` is announced in the same step, as `intend` does.
        """
        made = (project_id or "", baseline or "")
        return bool(self.run("submit_advance", claim.id, claim.fence, stage, *made, "" if lease is None else lease))

    def start(
        self,
        claim: Submission,
        *,
        confirmed: bool,
        project_id: str | None,
        look_in: float,
        trusting: float | None = None,
    ) -> tuple[bool, Kick | None]:
        """Record that the call that costs was made, `confirmed` or with an unknown outcome, and when to look first.

        `trusting` is in how many seconds instead, where the vendor's webhooks for the account arrive. A webhook that
        was faster confirms it. Returns whether it was recorded (False: the claim was lost) and the pump to kick.
        """
        state = "rendering" if confirmed else "unconfirmed"
        later = look_in if trusting is None or not confirmed else trusting
        recorded, kick = self.run("submit_start", claim.id, claim.fence, state, project_id or "", look_in, later)
        return bool(recorded), _kick(claim.account, kick)

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
        """Hand a submission back, to be tried again in `retry_in` seconds; `note` says why, in the record.

        `failed`: it counts as a failure of this render.
        `park`: it waits until its account may go on instead, as in `begin_submission`.
        `keep_intent`: nobody saw what became of the announced call; the next holder has to look first.
        """
        flags = (int(keep_intent), int(failed), int(park))
        return bool(self.run("submit_release", claim.id, claim.fence, retry_in, note, *flags))

    def fail(self, render_id: str, *, code: str, message: str, origin: str, fence: str = "") -> bool:
        """End a render as failed; False if it had ended already or the claim `fence` was lost."""
        return bool(self.run("fail", render_id, fence, code, message, origin))

    # -- polling

    def claim_due(self, account: str, *, slot: int, ticket: int, limit: int, lease: float) -> Batch | None:
        """Claim up to `limit` due renders of an account for `lease` seconds; None if the ticket is an old one."""
        verdict, now, items, more = self.run("poll_claim", account, slot, ticket, limit, lease)
        if verdict == "stale":
            return None
        return Batch(now=float(now), looks=[_look(item) for item in items], more=_kick(account, more))

    def record_findings(self, findings: Sequence[Finding]) -> list[tuple[str, str]]:
        """Record what looks at the vendor showed; returns (id, new state) of the renders that moved.

        A finding whose epoch is no longer the newest changes nothing.
        """
        if not findings:
            return []
        moved = self.run("poll_record", json.dumps([finding.as_json() for finding in findings]))
        return [(one, state) for one, state in moved]

    def rest_pump(
        self, account: str, *, slot: int, ticket: int, limit: int, gather: float = 0.0, least: float = 0.0
    ) -> tuple[float, int] | None:
        """End a pump run; returns the delay (seconds) and the ticket of its next run, None if none is needed.

        That is when `limit` renders are due, or one has been for `gather` seconds; in `least` seconds at the soonest.
        """
        answer = self.run("poll_rest", account, slot, ticket, limit, gather, least)
        return (float(answer[0]), int(answer[1])) if answer else None

    # -- hooks

    def claim_hook(self, render_id: str, index: int, *, lease: float) -> HookClaim:
        """Claim one hook of a finished render for `lease` seconds."""
        verdict, fence, seconds, *rest = self.run("hook_claim", render_id, index, lease)
        claim = HookClaim(verdict=verdict, fence=fence, seconds=float(seconds))
        if not rest:
            return claim
        flat, meta, history = rest
        known = load_meta(meta)
        record = public_record(render_id, _fields(flat), known, load_history(history))
        return replace(claim, record=record, hook=known["hooks"][index])

    def settle_hook(
        self,
        render_id: str,
        index: int,
        claim: HookClaim,
        *,
        outcome: str,
        retry_in: float = 0.0,
        error: str = "",
        fields: Mapping[str, Any] | None = None,
    ) -> str:
        """Record one try of a hook (delivered, dead, skipped, retrying); returns the render's state.

        `fields` are outcome fields for the record; of what a hook tells, `stored_url` is kept.
        """
        extra = json.dumps({name: str(fields[name]) for name in _OUTCOME_FIELDS if fields and fields.get(name)})
        _, state = self.run("hook_settle", render_id, index, claim.fence, outcome, retry_in, error, extra)
        return state

    def relink(self, render_id: str, *, attempt: int, url: str) -> bool:
        """Note the download URL that the vendor tells now; False if the record is gone or of another attempt."""
        return bool(self.run("relink", render_id, attempt, url))

    def renew_hook(self, render_id: str, index: int, claim: HookClaim, *, lease: float) -> bool:
        """Keep the claim on a hook for another `lease` seconds; False if it was lost."""
        return bool(self.run("hook_renew", render_id, index, claim.fence, lease))

    # -- sweeping

    def sweep_turn(self, holder: str, *, seconds: float, every: float) -> bool:
        """Take, or keep, the turn to sweep for `seconds`; False if another has it, or had it within `every` seconds."""
        return bool(self.run("sweep_turn", holder, seconds, max(1, int(every * 900))))

    def end_sweep(self, holder: str) -> bool:
        """Hand the turn to sweep back; False if it was over."""
        return bool(self.run("sweep_leave", holder))

    def silent(self, *, limit: int = SWEPT_AT_ONCE) -> list[tuple[str, str, str]]:
        """Take up to `limit` renders that stood still too long: (id, state, priority), to be re-sent; none: no more."""
        while True:
            seen, items = self.run("sweep_silent", limit)
            if items or seen < limit:
                return [tuple(item) for item in items]

    def overdue(self, *, limit: int = SWEPT_AT_ONCE) -> tuple[list[str], list[Kick]]:
        """Expire what passed its deadline and was looked at since; have the others looked at once more, now.

        Sees to `limit` renders or more; nothing to expire and no pump to start: there are no more.
        """
        while True:
            seen, expired, kicks = self.run("sweep_overdue", limit)
            if expired or kicks or seen < limit:
                return expired, [Kick(one[0], int(one[1]), int(one[2]), float(one[3])) for one in kicks]

    def pumps(self) -> list[Kick]:
        """Return the pumps to start for accounts whose due renders nobody is going to look at."""
        accounts: Any = self.redis.smembers(f"{self.prefix}accounts")
        names, kicks = sorted(accounts), []
        for first in range(0, len(names), SWEPT_AT_ONCE):
            kicks += self.run("sweep_pumps", *names[first : first + SWEPT_AT_ONCE])
        return [Kick(one[0], int(one[1]), int(one[2]), float(one[3])) for one in kicks]

    def errands(self, accounts: Sequence[str]) -> list[str]:
        """Return which of the accounts have errands that are due: calls to the vendor that no render waits for."""
        now: Any = self.redis.time()
        with self.redis.pipeline(transaction=False) as pipe:
            for account in accounts:
                pipe.zcount(f"{self.prefix}suspects:{account}", "-inf", now[0])
            found = pipe.execute()
        return [account for account, due in zip(accounts, found, strict=True) if due]

    def suspects(self, account: str, *, limit: int, lease: float) -> list[tuple[str, int, str]]:
        """Claim renders of which an unknown draft is to be looked for now: (id, attempt, member to clear).

        None while the account may make no calls. Those that are not cleared within `lease` seconds are due again.
        """
        due = self.run("errand_claim", "suspects", account, limit, lease)
        parts = [(member, *member.partition("#")[0].split(".")) for member in due]
        return [(one, int(attempt), member) for member, one, attempt in parts]

    def clear_suspects(self, account: str, members: Sequence[str]) -> None:
        """Take members that were looked for off the list of suspects."""
        self.redis.zrem(f"{self.prefix}suspects:{account}", *members)

    def forget(self, *, retention: float) -> int:
        """Drop finished records older than `retention` seconds; returns how many."""
        return sum(self.forgetting(retention=retention))

    def forgetting(self, *, retention: float, limit: int = SWEPT_AT_ONCE) -> Iterator[int]:
        """Drop finished records older than `retention` seconds, `limit` in a step; yields how many each dropped."""
        for state in sorted(FINAL):
            passed_over = 0
            seen = limit
            while seen >= limit:
                seen, dropped = self.run("sweep_forget", retention, limit, state, passed_over)
                passed_over += seen - dropped
                yield dropped


def _owed(fields: Mapping[str, str]) -> list[int]:
    return [index for index in range(int(fields.get("hooks", 0))) if fields.get(f"h{index}") not in SETTLED_HOOKS]


def _fields(flat: Sequence[str]) -> dict[str, str]:
    """Return what a script's HGETALL answers, names and values in turn, by name."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _kick(account: str, raw: Sequence[Any] | None) -> Kick | None:
    return Kick(account, int(raw[0]), int(raw[1]), float(raw[2])) if raw else None


def _look(item: Sequence[Any]) -> Look:
    one, epoch, kind, state, project_id, polls, progress, progress_at = item[:8]
    since, deadline_at, faults, untouched, untouched_at, baseline, intent_at, attempt = item[8:16]
    hinted_url, told, rate, stalls, trusted = item[16:21]
    return Look(
        id=one,
        epoch=int(epoch),
        kind=kind,
        state=state,
        project_id=project_id,
        polls=int(polls or 0),
        progress=float(progress or 0),
        progress_at=float(progress_at or since),
        since=float(since),
        deadline_at=float(deadline_at),
        faults=int(faults or 0),
        untouched=int(untouched or 0),
        untouched_at=float(untouched_at) if untouched_at else None,
        baseline=baseline,
        intent_at=float(intent_at or since),
        attempt=int(attempt or 1),
        hinted_url=hinted_url,
        told=bool(told),
        rate=float(rate) if rate else None,
        stalls=int(stalls or 0),
        trusted=bool(trusted),
    )
