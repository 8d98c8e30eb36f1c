"""One operation on many renders, which a filter selects: retry, cancel, hold, release, replay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from renderline.dispatcher import GatheredMessages
from renderline.ledger import Filter, QuotaExceeded
from renderline.operations import OperationRefused, Operations
from renderline.renders import FINAL, State
from renderline.search import Found, Search
from renderline.tenants import Actor

Action = Literal["retry", "cancel", "hold", "release", "replay"]
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)

LIMIT: Final = 1000
"""How many renders one run takes, if nothing else is said."""
_AT_ONCE: Final = 100
"""How many renders are read, and whose messages are published, at once."""
_NO_CURSOR: Final = "is not a cursor of such a run"
_MOST_PAGES: Final = 200
"""How many pages one run reads: it ends before a caller gives up, also if hardly any render matches."""

STATES: Final[Mapping[Action, tuple[State, ...]]] = {
    "retry": (State.FAILED, State.EXPIRED),
    "cancel": tuple(state for state in State if state not in FINAL),
    "hold": (State.ACCEPTED,),
    "release": (State.ACCEPTED,),
    "replay": (State.UNDELIVERED, State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELED),
}
"""The states of the renders to which an action may apply."""


class BulkRefused(ValueError):
    """The run as a whole makes no sense; nothing was changed. `field` names what is wrong: filter, state or cursor."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field = field


@dataclass(frozen=True)
class BulkResult:
    """What one run did."""

    matched: int = 0
    """Renders that match and to which the action applied when they were read: those done and those refused."""
    done: list[str] = field(default_factory=list)
    """The renders that were changed, or with `dry_run` would be."""
    refused: list[tuple[str, str]] = field(default_factory=list)
    """The renders that changed meanwhile, or that the actor may not change, and why."""
    more: bool = False
    """Whether further renders match, from `cursor` on."""
    cursor: str | None = None
    """Where the next run goes on; None: nothing is left."""


@dataclass(frozen=True)
class Bulk:
    """Runs one operation on the renders that a filter selects: each by itself, audited, with the actor's rights."""

    search: Search
    operations: Operations

    def run(
        self,
        action: Action,
        wanted: Filter,
        *,
        actor: Actor,
        dry_run: bool = False,
        limit: int = LIMIT,
        every: bool = False,
        cursor: str | None = None,
        reason: str = "",
    ) -> BulkResult:
        """Do `action` to up to `limit` renders that match and to which it applies, the newest of each state first.

        `dry_run` changes nothing. A render that is refused does not end the run. `cursor` goes on where an earlier run
        ended. `reason` is that of a hold. `wanted` without a state has one for each state in which the action applies,
        so its times are those of entering that state. Without any filter `every` must be true. Raises `BulkRefused`, or
        `redis.RedisError`.
        """
        if wanted == Filter() and not every:
            raise BulkRefused("filter", f"is missing: without one {action} concerns every render; say so with all")
        result, pages = BulkResult(), self._pages(action, wanted, actor, limit, cursor)
        onward: str | None = None
        for page in pages:
            chosen, onward = [one["id"] for one in page.records], page.cursor
            part = BulkResult(done=chosen) if dry_run else self.on(action, chosen, actor=actor, reason=reason)
            result.done.extend(part.done)
            result.refused.extend(part.refused)
        matched = len(result.done) + len(result.refused)
        return replace(result, matched=matched, more=onward is not None, cursor=onward)

    def on(self, action: Action, ids: Sequence[str], *, actor: Actor, reason: str = "") -> BulkResult:
        """Do `action` to these renders. Those to which it does not apply are refused, each with the reason."""
        result = BulkResult(len(ids))
        for start in range(0, len(ids), _AT_ONCE):
            messages = GatheredMessages(self.operations.dispatcher)
            operate = _step(action, replace(self.operations, dispatcher=messages), actor, reason)
            try:
                for one in ids[start : start + _AT_ONCE]:
                    try:
                        operate(one)
                        result.done.append(one)
                    except (OperationRefused, QuotaExceeded) as why:
                        result.refused.append((one, str(why)))
            finally:
                messages.publish()
        return result

    def _pages(self, action: Action, wanted: Filter, actor: Actor, limit: int, cursor: str | None) -> Iterator[Found]:
        """Yield the renders to which the action applies, and where those after them begin."""
        states = self._states(action, wanted)
        state, place = _parsed(cursor, states)
        left, pages = limit, 0
        while state is not None and left > 0 and pages < _MOST_PAGES:
            pages += 1
            page = self._page(replace(wanted, state=state.value), actor, min(left, _AT_ONCE), place)
            following = states[states.index(state) + 1 :]
            state, place = (state, page.cursor) if page.cursor else (following[0] if following else None, None)
            some = self._applicable(action, page.records)
            left -= len(some)
            yield Found(some, f"{state.value}/{place or ''}" if state else None)

    def _page(self, wanted: Filter, actor: Actor, limit: int, place: str | None) -> Found:
        try:
            return self.search.find(wanted, tenant=actor.tenant, limit=limit, cursor=place)
        except ValueError:
            raise BulkRefused("cursor", _NO_CURSOR) from None

    @staticmethod
    def _states(action: Action, wanted: Filter) -> tuple[State, ...]:
        states = STATES[action]
        if wanted.state is None:
            return states
        if wanted.state not in states:
            raise BulkRefused("state", f"{action} applies to renders that are {_listed(states)}, not {wanted.state}")
        return (State(wanted.state),)

    def _applicable(self, action: Action, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if action == "hold":
            return [one for one in records if not one["held"]]
        if action == "release":
            return [one for one in records if one["held"]]
        if action == "retry":
            return [one for one in records if not one["forgotten"]]
        if action == "replay":
            dead = self.operations.dead_hooks(records)
            return [one for one, hooks in zip(records, dead, strict=True) if hooks]
        return records


def _step(action: Action, operations: Operations, actor: Actor, reason: str) -> Callable[[str], object]:
    """Return what does the action to one render."""
    steps: Mapping[Action, Callable[[str], object]] = {
        "retry": lambda one: operations.retry(one, actor=actor),
        "cancel": lambda one: operations.cancel(one, actor=actor),
        "hold": lambda one: operations.hold(one, actor=actor, reason=reason),
        "release": lambda one: operations.release(one, actor=actor),
        "replay": lambda one: operations.replay_all(one, actor=actor),
    }
    return steps[action]


def _parsed(cursor: str | None, states: Sequence[State]) -> tuple[State | None, str | None]:
    """Return the state and the place in its list where a run goes on; raises `BulkRefused`."""
    if not cursor:
        return states[0], None
    name, _, place = cursor.partition("/")
    for state in states:
        if state == name:
            return state, place or None
    raise BulkRefused("cursor", _NO_CURSOR)


def _listed(names: Sequence[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
