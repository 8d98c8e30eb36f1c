"""Reads the values of the ledger's metrics in a few round trips, each no longer than there are accounts and lanes."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.client import Pipeline

from renderline import contract
from renderline.ledger import Ledger, Statistics
from renderline.ledger.clock import epoch_seconds
from renderline.metrics import ledger_metrics as names
from renderline.metrics.families import Sample
from renderline.metrics.labels import OTHER, clean
from renderline.metrics.waiting_submissions import oldest_submissions

MOST_ACCOUNTS = 100
"""Accounts with series of their own, by name; a deployment has a few."""
MOST_KINDS = 64
MOST_QUEUES = 50
"""Queues of celery hooks with series of their own."""
_MOST_LANES = 1000
"""Lanes whose oldest message is looked at. Each owner has at most four."""
_PRIORITIES = ("", "\x06\x163", "\x06\x166", "\x06\x169")
"""What Celery adds to a queue's name for the lists of its priorities."""


@dataclass
class QueueClock:
    """Remembers since when each queue has had messages without getting shorter, as seen at each reading."""

    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[int, float]] = field(default_factory=dict)

    def stalled(self, queue: str, messages: int) -> float:
        """Return for how many seconds that has been so."""
        now = self.clock()
        before, since = self._seen.get(queue, (0, now))
        if messages == 0 or messages < before or before == 0:
            since = now
        self._seen[queue] = (messages, since)
        return now - since


class LedgerReader:
    """Reads all values of the ledger's metrics. Raises `redis.RedisError`."""

    def __init__(self, ledger: Ledger, *, queue_clock: QueueClock | None = None) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self._statistics = Statistics(ledger)
        self._queue_clock = queue_clock or QueueClock()

    def read(self) -> list[Sample]:
        """Return the values of now."""
        now, found = self._overview()
        accounts = _account_names(found)
        samples = [*_totals(found), *_workers(found, now), *self._queues(found)]
        samples += self._accounts(found, accounts, now)
        samples += renders((one.state, one.kind, one.account, one.count) for one in self._statistics.totals())
        samples += [
            (names.CREDITS_LAST_HOUR, (), sum(one.credits for one in self._statistics.minutes(count=60))),
            *((names.OLDEST_RENDER, (clean(state),), seconds) for state, seconds in self._statistics.oldest().items()),
        ]
        return samples

    def _overview(self) -> tuple[float, dict[str, Any]]:
        keys = self._keys
        with self._redis.pipeline(transaction=False) as pipe:
            asked = _Answers(pipe)
            asked("time", pipe.time())
            asked("accounts", pipe.smembers(keys.accounts))
            asked("lanes", pipe.sscan(keys.lanes, count=_MOST_LANES))
            asked("paused", pipe.smembers(keys.paused))
            asked("slot_limits", pipe.hgetall(keys.slot_limits))
            asked("capabilities", pipe.zrange(keys.capabilities, 0, -1, withscores=True))
            asked("quarantine", pipe.xlen(keys.quarantine))
            asked("quarantine_requests", pipe.xlen(keys.quarantine_requests))
            asked("quarantine_counts", pipe.hgetall(keys.quarantine_counts))
            asked("dead_letters", pipe.zcard(keys.dead_letters))
            asked("alarms", pipe.zcard(keys.alarms))
            asked("swept", pipe.get(keys.swept))
            asked("hook_queues", pipe.zrevrange(keys.hook_queues, 0, 4 * MOST_QUEUES))
            found = asked.execute()
        return epoch_seconds(found["time"]), found

    def _queues(self, found: Mapping[str, Any]) -> Iterable[Sample]:
        hook_queues = dict.fromkeys(str(one).rpartition("@")[2] for one in found.get("hook_queues") or ())
        queues = [*contract.QUEUES, *list(hook_queues)[:MOST_QUEUES]]
        with self._redis.pipeline(transaction=False) as pipe:
            for queue in queues:
                for ending in _PRIORITIES:
                    pipe.llen(f"{queue}{ending}")
            lengths = pipe.execute(raise_on_error=False)
        for index, queue in enumerate(queues):
            parts = [one for one in lengths[4 * index : 4 * index + 4] if isinstance(one, int)]
            if parts:
                messages = sum(parts)
                yield names.QUEUE_MESSAGES, (clean(queue),), messages
                yield names.QUEUE_STALLED, (clean(queue),), self._queue_clock.stalled(queue, messages)

    def _accounts(self, found: Mapping[str, Any], accounts: Sequence[str], now: float) -> Iterable[Sample]:
        keys = self._keys
        lanes = [str(one).partition(" ") for one in (found.get("lanes") or (0, ()))[1]][:_MOST_LANES]
        with self._redis.pipeline(transaction=False) as pipe:
            asked = _Answers(pipe)
            for one in accounts:
                asked(f"slots {one}", pipe.scard(keys.slots(one)))
                asked(f"circuit {one}", pipe.hexists(keys.circuit(one), "until"))
                asked(f"backoff {one}", pipe.get(keys.backoff(one)))
                asked(f"hold {one}", pipe.exists(keys.hold(one)))
                asked(f"token {one}", pipe.hmget(keys.account_status(one), "issued_at", "expires_at"))
                asked(f"due {one}", pipe.zrange(keys.due(one), 0, 0, withscores=True))
                asked(f"rate {one}", pipe.exists(keys.rate_limit(one)))
            for lane, _, owner in lanes:
                asked(f"lane {lane} {owner}", pipe.zrange(keys.queued(lane, owner), 0, 0, withscores=True))
            answers = asked.execute()
        paused, limits = found.get("paused") or (), found.get("slot_limits") or {}
        ready = []
        overdue = {one: max(0.0, now - _first_score(answers.get(f"due {one}"), now)) for one in accounts}
        for one in accounts:
            label = (clean(one),)
            taken, limit = answers.get(f"slots {one}") or 0, _number(limits.get(one, math.inf))
            held = one in paused or any(answers.get(f"{why} {one}") for why in ("circuit", "backoff", "hold", "rate"))
            if not held and taken < limit:
                ready.append(one)
            yield names.SLOTS_TAKEN, label, taken
            if one in limits:
                yield names.SLOTS_LIMIT, label, _number(limits[one])
            yield names.CIRCUIT_OPEN, label, int(bool(answers.get(f"circuit {one}")))
            until = answers.get(f"backoff {one}")
            yield names.BACKOFF, label, max(0.0, _number(until) - now) if until else 0.0
            yield names.PAUSED, label, int(one in paused)
            yield names.HELD, label, int(bool(answers.get(f"hold {one}")))
            issued, expires = answers.get(f"token {one}") or (None, None)
            if issued and expires:
                yield names.TOKEN_AGE, label, max(0.0, now - _number(issued))
                yield names.TOKEN_EXPIRES, label, _number(expires) - now
            yield names.POLL_OVERDUE, label, overdue[one]
        sent = {"submit": now, "hooks": now}
        for lane, _, owner in lanes:
            queue = "hooks" if lane == "hook" else "submit"
            sent[queue] = min(sent[queue], _first_score(answers.get(f"lane {lane} {owner}"), now))
        yield names.QUEUE_OLDEST, ("submit",), max(0.0, now - sent["submit"])
        yield names.QUEUE_OLDEST, ("hooks",), max(0.0, now - sent["hooks"])
        yield names.QUEUE_OLDEST, ("poll",), max(overdue.values(), default=0.0)
        queued = {(owner, lane): _first_score(answers.get(f"lane {lane} {owner}"), now) for lane, _, owner in lanes}
        for one, since in oldest_submissions(self._redis, keys, accounts, ready, queued).items():
            yield names.SUBMISSION_WAITING, (clean(one),), max(0.0, now - since) if since else 0.0


class _Answers:
    """Names the commands of a pipeline. The answer to one that failed, such as for a key of another type, is None."""

    def __init__(self, pipe: Pipeline) -> None:
        self._pipe, self._names = pipe, list[str]()

    def __call__(self, name: str, _: Any) -> None:
        self._names.append(name)

    def execute(self) -> dict[str, Any]:
        answers = self._pipe.execute(raise_on_error=False)
        return {
            name: None if isinstance(answer, Exception) else answer
            for name, answer in zip(self._names, answers, strict=True)
        }


def _account_names(found: Mapping[str, Any]) -> list[str]:
    served = {
        str(name).partition(":")[2] for name, _ in found.get("capabilities") or () if str(name).startswith("account:")
    }
    known = {str(one) for one in (*(found.get("accounts") or ()), *(found.get("slot_limits") or {}))}
    return sorted(served | known)[:MOST_ACCOUNTS]


def _totals(found: Mapping[str, Any]) -> Iterable[Sample]:
    yield names.DEAD_LETTERS, (), found["dead_letters"] or 0
    yield names.REVOKED_STARTED, (), found["alarms"] or 0
    yield names.QUARANTINED, (), (found["quarantine"] or 0) + (found["quarantine_requests"] or 0)
    counts = found["quarantine_counts"] or {}
    for name, count in sorted(counts.items()):
        _, queue, reason = (*str(name).split(":", 2), "", "")[:3]
        if str(name).startswith("message:"):
            yield names.QUARANTINED_TOTAL, (clean(queue), clean(reason)), _number(count)
    yield names.NOT_KEPT_WHOLE, (), _number(counts.get("not_kept_whole", 0))


def _workers(found: Mapping[str, Any], now: float) -> Iterable[Sample]:
    seen = {str(name): float(at) for name, at in found.get("capabilities") or ()}
    if seen:
        yield names.WORKER_SEEN, (), max(0.0, now - max(seen.values()))
    accounts = sorted(name for name in seen if name.startswith("account:"))
    for name in accounts[:MOST_ACCOUNTS]:
        yield names.ACCOUNT_WORKER_SEEN, (clean(name.removeprefix("account:")),), max(0.0, now - seen[name])
    if found["swept"]:
        yield names.SWEEP_AGE, (), max(0.0, now - _number(found["swept"]))


def renders(totals: Iterable[tuple[str, str, str, float]]) -> list[Sample]:
    """Return the samples of renders from (state, kind, account, count), however many kinds and accounts there are."""
    rows = list(totals)
    kinds = {name for name, _ in Counter(kind for _, kind, _, _ in rows).most_common(MOST_KINDS)}
    accounts = set(sorted({account for _, _, account, _ in rows})[:MOST_ACCOUNTS])
    counts: Counter[tuple[str, str, str]] = Counter()
    for state, kind, account, count in rows:
        label = (
            clean(state),
            clean(kind) if kind in kinds else OTHER,
            clean(account) if account in accounts else OTHER,
        )
        counts[label] += int(count)
    return [(names.RENDERS, label, count) for label, count in sorted(counts.items())]


def _first_score(rows: Any, default: float) -> float:
    return float(rows[0][1]) if rows else default


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return 0.0
