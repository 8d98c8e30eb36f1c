"""Search among 1,000,000 renders: how long it takes, how long it holds Redis, and what the indexes cost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from redis import Redis

from benchmarks.archive import FAILED_EVERY, LABELS, Archive, meta_of, render_id
from benchmarks.result import BenchmarkResult, Row, Say, quantile
from benchmarks.system import System
from renderline.ledger import Ledger, Queries, Statistics
from renderline.ledger.reindex import Reindex
from renderline.search import Search

TITLE = "Search among 1,000,000 renders"
MANY = 1_000_000
PROBES = 200
RENDER_CPU = 0.005
"""Seconds of Redis CPU that a render takes (docs/scaling.md: 3.3 ms, and some 13 polls of 0.135 ms)."""
_SAMPLE = 20_000
_FINDING_MANY = ("a label of 1,000 renders", "state", "all", "a name that all have")
"""Searches for a page of the newest of very many."""
_REINDEX_FOR = 15.0
_PASSES_AS_FAST = 1000
"""Microseconds from which on the slowlog notes a command."""


def run(say: Say) -> BenchmarkResult:
    """Measure what the indexes cost with the steps of workers; then fill a Valkey, and search."""
    cost = _cost_of_indexes(say)
    with System.open() as system, Redis.from_url(system.valkey.url, decode_responses=True) as redis:
        # Its log is not what is measured, and would fill the disk.
        redis.config_set("appendonly", "no")
        begin = time.monotonic()
        archive = Archive(redis, MANY)
        archive.fill()
        each = _used(redis) / MANY
        say(f"{MANY:,} renders loaded in {time.monotonic() - begin:.0f} s, {each:.0f} bytes each")
        redis.config_set("slowlog-log-slower-than", _PASSES_AS_FAST)
        redis.config_set("slowlog-max-len", 1000)
        redis.slowlog_reset()
        times = _searches(redis, archive, say)
        longest = _longest(redis)
        redis.slowlog_reset()
        rate, totals = _reindexed(redis)
        reindex_longest = _longest(redis)
    say(f"longest command: {longest[0]:.1f} ms ({longest[1]}); of a reindex: {reindex_longest[0]:.1f} ms")
    say(f"reindex: {rate:.0f} renders/s; totals: {totals:.1f} ms")
    worst = {name: quantile(taken, 0.95) * 1e3 for name, taken in times.items()}
    slowest = max((name for name in worst if name not in _FINDING_MANY), key=lambda name: worst[name])
    cpu = cost["accept_us"] + cost["forget_us"]
    note = (
        f"{cost['accept_us']:.0f} µs at acceptance, {cost['forget_us']:.0f} µs at the end, of {RENDER_CPU * 1e3:g} ms"
    )
    return BenchmarkResult(
        "search",
        TITLE,
        [
            Row("95th percentile of finding one render, the slowest way", worst[slowest], 200, "ms", note=slowest),
            Row("longest command of all searches", longest[0], 10, "ms", note=longest[1]),
            Row("indexes per render: name and three labels", cost["bytes"], 600, "bytes"),
            Row("indexes, share of a render's Redis CPU", cpu / RENDER_CPU / 1e4, 10, "%", note=note),
        ],
        {
            "p95_ms": {name: round(value, 2) for name, value in worst.items()},
            "median_ms": {name: round(quantile(taken, 0.5) * 1e3, 2) for name, taken in times.items()},
            "longest_command_ms": round(longest[0], 2),
            "index_bytes_per_render": round(cost["bytes"]),
            "index_cpu_us": {"accept": round(cost["accept_us"], 1), "forget": round(cost["forget_us"], 1)},
            "redis_bytes_per_render": round(each),
            "reindex_renders_per_second": round(rate),
            "reindex_longest_command_ms": round(reindex_longest[0], 2),
            "totals_ms": round(totals, 2),
        },
    )


def _searches(redis: Redis, archive: Archive, say: Say) -> dict[str, list[float]]:
    """Return the seconds of each search by its kind; each must find the render that it is about."""
    ledger = Ledger(redis)
    search = Search(ledger, Queries(ledger, labels=LABELS))
    chance = random.Random(20260101)

    def failed(number: int) -> str:
        at = archive.accepted_at(number)
        since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one)) for one in (at - 1800, at + 1800))
        return f"state:failed code:{archive.code_of(number)} since:{since} until:{until}"

    kinds: dict[str, Callable[[int], str]] = {
        "id": render_id,
        "idempotency key": lambda number: f"key:order-{number}",
        "a word that is a key": lambda number: f"order-{number}",
        "name": lambda number: f'name:"{meta_of(number)["name"]}"',
        "beginning of a name": lambda number: f'name:"{meta_of(number)["name"][:-1]}"',
        "words in a name": lambda number: f"customer {number}",
        "label": lambda number: f"order:A-{number}",
        "a word that is a label": lambda number: f"a-{number}",
        "state, time and code": failed,
        "a label of 1,000 renders": lambda number: f"campaign:spring-{number % 1000}",
        "state": lambda _: "state:failed",
        "all": lambda _: "",
        "a name that all have": lambda _: "name:offer account:default",
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    for kind, text_of in kinds.items():
        for _ in range(PROBES):
            # Of numbers with all their digits, none is the beginning of another.
            number = chance.randrange(MANY // 10 // FAILED_EVERY + 1, MANY // FAILED_EVERY) * FAILED_EVERY
            start = time.perf_counter()
            found = search.find(text_of(number), tenant=None, limit=100)
            taken[kind].append(time.perf_counter() - start)
            ids = {record["id"] for record in found.records}
            assert len(ids) == 100 if kind in _FINDING_MANY else render_id(number) in ids, text_of(number)
        median, most = (quantile(taken[kind], share) * 1e3 for share in (0.5, 0.95))
        say(f"{kind}: {median:.1f} ms, 95% within {most:.1f} ms")
    return taken


def _longest(redis: Redis) -> tuple[float, str]:
    """Return the milliseconds of the longest command in the slowlog, and its name."""
    entries: Any = redis.slowlog_get(1000)
    found = [(entry["duration"] / 1e3, bytes(entry["command"]).split()[0].decode()) for entry in entries]
    return max(found, default=(_PASSES_AS_FAST / 1e3, "none took longer"))


def _reindexed(redis: Redis) -> tuple[float, float]:
    """Return how many renders a second a reindex does, and the milliseconds that the totals take meanwhile."""
    ledger = Ledger(redis)
    begin, seen = time.monotonic(), 0
    for outcome in Reindex(ledger, LABELS).run():
        seen = outcome.seen
        if time.monotonic() - begin > _REINDEX_FOR:
            break
    rate = seen / (time.monotonic() - begin)
    begin = time.monotonic()
    assert sum(one.count for one in Statistics(ledger).totals()) == MANY
    return rate, (time.monotonic() - begin) * 1e3


def _cost_of_indexes(say: Say) -> dict[str, float]:
    """Return the bytes of a render's texts, and the microseconds of Redis at its acceptance and when it is forgotten.

    They are the difference between renders with a name and labels and the same without, in two servers.
    """
    plain, indexed = _cost(named=False), _cost(named=True)
    cost = {name: indexed[name] - plain[name] for name in plain}
    # The name itself is in the record with and without an index.
    cost["bytes"] -= len(meta_of(0)["name"])
    say(f"indexes: {cost['bytes']:.0f} bytes, {cost['accept_us']:.0f} µs at acceptance, {cost['forget_us']:.0f} later")
    return cost


def _cost(*, named: bool) -> dict[str, float]:
    with System.open() as system, Redis.from_url(system.valkey.url, decode_responses=True) as redis:
        redis.config_set("appendonly", "no")
        archive = Archive(redis, _SAMPLE, named=named)
        used, cpu = _used(redis), _cpu(redis)
        archive.accept()
        accepted = _cpu(redis) - cpu
        grown = _used(redis) - used
        archive.end()
        cpu = _cpu(redis)
        archive.forget()
        forgotten = _cpu(redis) - cpu
    return {
        "bytes": grown / _SAMPLE,
        "accept_us": accepted / _SAMPLE * 1e6,
        "forget_us": forgotten / _SAMPLE * 1e6,
    }


def _cpu(redis: Redis) -> float:
    found: Any = redis.info("cpu")
    return float(found["used_cpu_user"] + found["used_cpu_sys"])


def _used(redis: Redis) -> int:
    found: Any = redis.info("memory")
    return int(found["used_memory"])
