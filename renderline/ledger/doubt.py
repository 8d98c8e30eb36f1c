"""The ledger in doubt: it was restored from a snapshot, and the vendor may have done more since.

While it is, no step gives out work: nothing is submitted, polled, delivered, revoked or cleaned up. Requests are
accepted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from renderline.ledger.claims import PumpWake
from renderline.ledger.parsing import resubmit_time, wake_of
from renderline.ledger.schema import newer_version
from renderline.ledger.store import Ledger
from renderline.renders import FINAL, State

Action = Literal["adopt", "confirm", "fail"]

_AT_ONCE = 500
_FIELDS = ("state", "kind", "account", "attempt", "draft", "project_id", "stage", "intent", "deadline", "draft_only")
_OPEN = tuple(state for state in State if state not in FINAL and state is not State.COMPLETED)


class DoubtState(NamedTuple):
    """Why the ledger is in doubt, since when, and when it was last alive before (epoch seconds; None: unknown)."""

    why: str
    at: float
    since: float | None


@dataclass(frozen=True)
class RecordedRender:
    """What the ledger says of one render; `state` is `held` for one that an operator holds."""

    id: str
    state: str
    kind: str
    account: str
    attempt: int
    draft: int
    project_id: str | None
    stage: str
    intent: str | None
    deadline: float
    draft_only: bool
    newer: bool
    """Whether a newer version wrote it, which alone may change it."""
    waits: bool
    """Whether it was settled already, and waits until it may be submitted again."""
    accepted_at: float | None
    """When its attempt was accepted (epoch seconds): projects that are older are of an earlier render with its key."""


class Doubt:
    """Begins and ends the doubt, and settles the differences one by one."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys

    def state(self) -> DoubtState | None:
        """Return why the ledger is in doubt; None: it is not."""
        found: Any = self._redis.hgetall(self._keys.doubt)
        if not found:
            return None
        return DoubtState(found.get("why", ""), float(found.get("at") or 0), _number(found.get("since")))

    def begin(self, why: str, *, since: float | None = None) -> bool:
        """Put the ledger in doubt; False if it was already. `since`: when it was last alive before (None: of late)."""
        if since is not None:
            return bool(self._ledger.run("doubt_begin", why, since))
        lived: Any = self._redis.get(self._keys.lived)
        return bool(self._ledger.run("doubt_begin", why, (lived or "").partition(" ")[0]))

    def end(self) -> bool:
        """Let work go on; False if the ledger was not in doubt."""
        return bool(self._ledger.run("doubt_end"))

    def settle(
        self,
        render: RecordedRender,
        action: Action,
        *,
        project_id: str | None = None,
        attempt: int | None = None,
        draft: int = 1,
        stage: str = "",
        resubmit_at: float | None = None,
        message: str = "",
        own: bool = True,
    ) -> tuple[bool, PumpWake | None]:
        """Have a render go on from what the vendor has. False: it has changed since it was read, or the doubt ended.

        `adopt`: `project_id` renders, or has. `confirm`: its paid call may have been made; after `resubmit_at` without
        evidence it is submitted again (None: never). `fail`: it ends with `message`. `own`: its projects are made for
        it alone; otherwise the one in its record stays.
        """
        details = (project_id or "", attempt or render.attempt, draft, stage, resubmit_at or "", message, int(own))
        done, wake = self._ledger.run("settle", render.id, action, render.state, render.attempt, *details)
        return bool(done), wake_of(render.account, wake)

    def unsettled(self) -> list[RecordedRender]:
        """Return every render whose vendor calls may not be over."""
        ids: list[str] = []
        for state in _OPEN:
            ids += [str(one) for one in self._redis.zrange(self._keys.state(state), 0, -1)]
        return [one for one in self.renders(ids) if one and one.state not in FINAL and not one.newer]

    def renders(self, ids: Sequence[str]) -> list[RecordedRender | None]:
        """Return what the ledger says of these renders, None where it knows none."""
        found: list[RecordedRender | None] = []
        for first in range(0, len(ids), _AT_ONCE):
            some = ids[first : first + _AT_ONCE]
            with self._redis.pipeline(transaction=False) as pipe:
                for one in some:
                    pipe.hmget(self._keys.render(one), *_FIELDS, "resubmit_at", "intent_at", "schema", "t:accepted")
                found += [_recorded(one, *values) for one, values in zip(some, pipe.execute(), strict=True)]
        return found

    def remember(
        self, account: str, projects: Mapping[tuple[str, int], int], *, since: float | None, seconds: float
    ) -> None:
        """Keep which attempts have a project, though the ledger does not know it: by (id, attempt) the draft's number.

        A submission of such an attempt looks for the project first, so that a repeated idempotency key, or a retry,
        pays nothing again. `since`: when the ledger was last alive before; older projects are no answer to a new key.
        """
        if projects:
            key, after = self._keys.unknown_projects(account), "" if since is None else f" {since:.3f}"
            self._redis.hset(
                key, mapping={f"{one}.{attempt}": f"{draft}{after}" for (one, attempt), draft in projects.items()}
            )
            self._redis.expire(key, max(1, int(seconds)))

    def gap(self) -> float | None:
        """Return until when the ledger was alive before the last gap without any worker (epoch seconds)."""
        found: Any = self._redis.get(self._keys.gap)
        return _number(found)

    def unchecked(self, account: str) -> bool:
        """Return whether an account is still to be looked through, after a gap without any worker."""
        return bool(self._redis.sismember(self._keys.unchecked, account))

    def checked(self, account: str) -> None:
        """Note that an account was looked through."""
        self._redis.srem(self._keys.unchecked, account)

    def count_ended(self) -> int:
        """Return how many renders are completed with hooks that still run."""
        return int(self._redis.zcard(self._keys.state(State.COMPLETED)))


def _recorded(one: str, *values: Any) -> RecordedRender | None:
    state, kind, account, attempt, draft, project, stage, intent, deadline, draft_only, *others = values
    resubmit, intent_at, schema, accepted_at = others
    if not state or not kind or not account:
        return None
    return RecordedRender(
        id=one,
        state=state,
        kind=kind,
        account=account,
        attempt=int(attempt or 1),
        draft=int(draft or 1),
        project_id=project or None,
        stage=stage or "",
        intent=intent or None,
        deadline=float(deadline or 0),
        draft_only=bool(draft_only),
        newer=bool(schema) and newer_version({"schema": schema}) is not None,
        waits=state == State.UNCONFIRMED and resubmit_time(resubmit, intent_at) is not None,
        accepted_at=_number(accepted_at),
    )


def _number(text: str | None) -> float | None:
    return float(text) if text else None
