"""The condition of renders: what their records do not show of queue, account, workers and hooks.

It is read in two round trips, however many renders there are. Places in queues are looked up, never counted by a walk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from redis.client import Pipeline

from renderline.ledger.capabilities import ALIVE_FOR
from renderline.ledger.clock import epoch_seconds
from renderline.ledger.condition import AccountCondition, Condition, HookCondition, SlotHolder
from renderline.ledger.parsing import answers_of
from renderline.ledger.record import UNREADABLE, is_unreadable, load_meta
from renderline.ledger.store import Ledger
from renderline.tenants import DEFAULT

_MOST_HOLDERS: Final = 64
"""Renders with a slot among which the oldest is looked for; with more, none is named."""
_FEWEST_DURATIONS: Final = 3
_FIRST_BAND: Final = 100_000_000_000
"""Score from which on parked renders wait for credentials of an API, as `lanes.lua` has it."""


class _Account(NamedTuple):
    """What the first round trip reads of an account."""

    condition: AccountCondition
    holders: Sequence[str]


class Conditions:
    """Reads the conditions of renders from the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._redis, self._keys = ledger.redis, ledger.keys

    def of(self, records: Sequence[Mapping[str, Any]]) -> list[Condition]:
        """Return the condition of each public record, in their order; raises `redis.RedisError`."""
        if not records:
            return []
        read = [None if is_unreadable(record) else record for record in records]
        accounts = sorted({record["account"] for record in read if record})
        kinds = sorted({one for record in read if record and record["state"] == "rendering" for one in _timed(record)})
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.zrange(self._keys.capabilities, 0, -1, withscores=True)
            for account in accounts:
                self._ask_account(pipe, account)
            for account, kind in kinds:
                pipe.lrange(self._keys.durations(account, kind), 0, -1)
            for record in read:
                if record:
                    self._ask_render(pipe, record)
            answers = iter(answers_of(pipe.execute(raise_on_error=False)))
        now = epoch_seconds(next(answers))
        alive = {str(name) for name, at in next(answers) if float(at) > now - ALIVE_FOR}
        known = {account: _account(account, answers, now=now, alive=alive) for account in accounts}
        typical = {kind: _median(next(answers)) for kind in kinds}
        found = [
            _render(record, answers, known[record["account"]].condition, alive, typical, now) if record else None
            for record in read
        ]
        return self._completed(read, found, known, now=now)

    def _ask_account(self, pipe: Pipeline, account: str) -> None:
        keys = self._keys
        pipe.sismember(keys.paused, account)
        pipe.get(keys.backoff(account))
        pipe.hmget(keys.circuit(account), "until", "opened_at")
        pipe.hmget(keys.hold(account), "until", "reason", "since")
        pipe.hget(keys.slot_limits, account)
        pipe.scard(keys.slots(account))
        pipe.hget(keys.rate_limit(account), "rate")
        pipe.srandmember(keys.slots(account), _MOST_HOLDERS)

    def _ask_render(self, pipe: Pipeline, record: Mapping[str, Any]) -> None:
        one, owner = record["id"], _owner(record)
        lane = f"submit.{record['priority']}"
        pipe.hmget(self._keys.render(one), _FIELDS)
        pipe.hmget(self._keys.render(one), [f"h{index}:{name}" for index, name in _hook_fields(record)] or ["state"])
        pipe.zscore(self._keys.resend, one)
        if record["state"] in _SUBMITTED:
            parked = self._keys.parked(owner)
            pipe.zscore(self._keys.queued(lane, owner), one)
            pipe.zscore(parked, one)
            pipe.zrank(parked, one)
            for low in (_FIRST_BAND, 2 * _FIRST_BAND):
                pipe.zcount(parked, "-inf", f"({low}")
        elif record["state"] in _POLLED:
            pipe.zscore(self._keys.due(record["account"]), one)

    def _completed(
        self,
        records: Sequence[Mapping[str, Any] | None],
        found: Sequence[Condition | None],
        accounts: Mapping[str, _Account],
        *,
        now: float,
    ) -> list[Condition]:
        """Add what the first answers made askable: who has the slots, and whether the hosts of hooks answer."""
        crowded = {
            record["account"]
            for record, condition in zip(records, found, strict=True)
            if record and condition and condition.ahead is not None and _full(condition.account)
        }
        holders = [one for account in sorted(crowded) for one in accounts[account].holders]
        hosts = sorted({hook.host for one in found if one for hook in one.hooks if hook.host not in ("", "*")})
        called = [record["id"] for record in records if record and _failing(record)]
        circuits: dict[str, float] = {}
        slots: list[tuple[str, str, SlotHolder]] = []
        requests: dict[str, list[dict[str, Any]]] = {}
        if holders or hosts or called:
            with self._redis.pipeline(transaction=False) as pipe:
                for one in holders:
                    pipe.hmget(self._keys.render(one), "account", "tenant", "t:submitting")
                for host in hosts:
                    pipe.hmget(self._keys.circuit(f"hook {host}"), "until", "opened_at")
                for one in called:
                    pipe.get(self._keys.meta(one))
                answers = iter(answers_of(pipe.execute(raise_on_error=False)))
            for one in holders:
                answer = next(answers)
                if isinstance(answer, list) and answer[0] and answer[2]:
                    account, tenant, since = answer
                    slots.append((account, tenant or DEFAULT, SlotHolder(one, float(since))))
            for host in hosts:
                answer = next(answers)
                if isinstance(answer, list) and answer[0]:
                    circuits[host] = float(answer[1] or now)
            requests = {one: _requested(next(answers)) for one in called}
        return [
            Condition(at=now)
            if record is None or condition is None
            else replace(
                condition,
                holder=_oldest(slots, record) if condition.ahead is not None else None,
                hooks=tuple(
                    replace(hook, circuit_since=circuits.get(hook.host), **(request or {}))
                    for hook, request in zip_longest(
                        condition.hooks, requests.get(record["id"], ())[: len(condition.hooks)]
                    )
                ),
            )
            for record, condition in zip(records, found, strict=True)
        ]


_SUBMITTED: Final = ("accepted", "submitting")
_POLLED: Final = ("rendering", "unconfirmed")
_FIELDS: Final = ("lease_until", "intent_at", "revoking", "progress", "progress_at", "rate", "canceled_by")
_RETRIES: Final = ("retry_for", "attempts")
_HOOK_FIELDS: Final = ("until", "waits", "since")


def _hook_fields(record: Mapping[str, Any]) -> list[tuple[int, str]]:
    return [(index, name) for index in range(len(record["hooks"])) for name in _HOOK_FIELDS]


def _failing(record: Mapping[str, Any]) -> bool:
    return any(hook["type"] in ("http", "celery") and hook["state"] in ("retrying", "dead") for hook in record["hooks"])


def _requested(meta: Any) -> list[dict[str, Any]]:
    """Return what the request says of each hook: scheme and host of its URL, and for how long it is retried."""
    try:
        return [
            {"calls": _origin(hook.get("url")), "asked": {name: hook[name] for name in _RETRIES if name in hook}}
            for hook in load_meta(meta)["hooks"]
        ]
    except UNREADABLE:
        return []


def _origin(url: Any) -> str | None:
    part = urlsplit(url) if isinstance(url, str) else None
    return f"{part.scheme}://{part.hostname}" if part and part.hostname else None


def _owner(record: Mapping[str, Any]) -> str:
    """Return who takes turns for a render, as `owner_of` of the scripts does."""
    account, tenant = record["account"], record["tenant"]
    return account if tenant == DEFAULT else f"{account}/{tenant}"


def _timed(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the account and the names under which the durations of renders like this one may be kept.

    Only stages before the last one of a plan are timed by themselves.
    """
    kind, stage = record["kind"], record["stage"]
    return [(record["account"], name) for name in ((f"{kind}.{stage}", kind) if stage else (kind,))]


def _account(account: str, answers: Any, *, now: float, alive: set[str]) -> _Account:
    paused, backoff, circuit, hold, limit, taken, rate, holders = (next(answers) for _ in range(8))
    until, opened_at = _pair(circuit)
    attempt_at, reason, refused_since = hold if isinstance(hold, list) else (None, None, None)
    limited = _number(limit)
    return _Account(
        AccountCondition(
            known=f"account:{account}" in alive,
            paused=bool(paused),
            backoff_until=_later(backoff, now),
            circuit_since=(_number(opened_at) or now) if until else None,
            refusal=reason if attempt_at else None,
            refused_since=_number(refused_since),
            attempt_at=_number(attempt_at),
            slots=None if limited is None else int(limited),
            taken=int(taken) if isinstance(taken, int) else 0,
            slowed=rate is not None,
        ),
        [str(one) for one in holders] if isinstance(holders, list) else [],
    )


def _render(
    record: Mapping[str, Any],
    answers: Any,
    account: AccountCondition,
    alive: set[str],
    typical: Mapping[tuple[str, str], float | None],
    now: float,
) -> Condition:
    fields, hooks, resend = next(answers), next(answers), next(answers)
    values = fields if isinstance(fields, list) else [None] * len(_FIELDS)
    lease, intent_at, revoking, progress, progress_at, rate, canceled_by = values
    found = Condition(
        at=now,
        workers=bool(alive),
        account=account,
        claimed_until=_later(lease, now),
        resend_at=_number(resend),
        intent_at=_number(intent_at),
        revoking=bool(revoking),
        typical=next((known for one in _timed(record) if (known := typical.get(one)) is not None), None),
        done_at=_predicted(_number(progress), _number(progress_at), _number(rate)),
        ended_by=canceled_by or "",
        hooks=_hooks(record, hooks if isinstance(hooks, list) else [], alive),
    )
    if record["state"] in _SUBMITTED:
        queued, score, rank, *below = (next(answers) for _ in range(5))
        return replace(found, queued_at=_number(queued), ahead=_ahead(score, rank, below))
    if record["state"] in _POLLED:
        return replace(found, next_poll=_number(next(answers)))
    return found


def _ahead(score: Any, rank: Any, below: Sequence[Any]) -> int | None:
    """Return how many wait before a parked render: those of its band of scores."""
    if not isinstance(score, float) or not isinstance(rank, int):
        return None
    band = int(score // _FIRST_BAND)
    return rank if band < 1 else max(0, rank - int(below[min(band, len(below)) - 1]))


def _hooks(record: Mapping[str, Any], values: Sequence[Any], alive: set[str]) -> tuple[HookCondition, ...]:
    size = len(_HOOK_FIELDS)
    if len(values) < size * len(record["hooks"]):
        return tuple(HookCondition() for _ in record["hooks"])
    return tuple(
        HookCondition(
            until=_number(values[index * size]),
            host=str(values[index * size + 1] or ""),
            since=_number(values[index * size + 2]),
            known=f"hook:{hook['type']}" in alive,
        )
        for index, hook in enumerate(record["hooks"])
    )


def _oldest(slots: Sequence[tuple[str, str, SlotHolder]], record: Mapping[str, Any]) -> SlotHolder | None:
    # A tenant learns nothing of the renders of others, not even an id.
    own = [holder for account, tenant, holder in slots if (account, tenant) == (record["account"], record["tenant"])]
    return min((holder for holder in own if holder.id != record["id"]), key=lambda one: one.since, default=None)


def _full(account: AccountCondition) -> bool:
    return account.slots is not None and account.slots <= account.taken <= _MOST_HOLDERS


def _predicted(progress: float | None, at: float | None, rate: float | None) -> float | None:
    return at + (100 - progress) / rate if progress and at and rate and progress < 100 else None


def _median(rows: Any) -> float | None:
    seconds = sorted(float(row) for row in rows) if isinstance(rows, list) else []
    return seconds[len(seconds) // 2] if len(seconds) >= _FEWEST_DURATIONS else None


def _pair(answer: Any) -> tuple[Any, Any]:
    return (answer[0], answer[1]) if isinstance(answer, list) else (None, None)


def _number(text: Any) -> float | None:
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError):
        # An error of the server, or a record that somebody edited: it shows nothing.
        return None


def _later(text: Any, now: float) -> float | None:
    at = _number(text)
    return at if at is not None and at > now else None
