"""`renderline migrate`: renames the keys and fields of ledger schema 1 to those of schema 2.

Each key is renamed by one atomic step, so the migration may be killed at any time and run again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from redis import Redis

from renderline.ledger.keys import PREFIX, Keys
from renderline.ledger.schema import MIGRATING, VERSION, SchemaMismatch, check_schema, found_version, old_writes

BATCH = 500
"""How many keys one round trip renames."""
ALIVE_FOR = 60.0
"""Seconds for which a worker of schema 1 counts as alive after its last announcement."""

_KEYS = {
    "wake": "resend",
    "served": "capabilities",
    "dead": "dead_letters",
    "limits": "slot_limits",
    "hookowners": "hook_accounts",
    "turn": "hook_turn",
    "quarantined": "quarantine_counts",
}
_FAMILIES = {
    "standing:": "queued:",
    "hooks:": "waiting_hooks:",
    "hookhosts:": "hook_hosts:",
    "quiet:": "backoff:",
    "pace:": "rate_limit:",
    "suspects:": "orphan_drafts:",
    "heard:": "webhooks_alive:",
    "stored:": "stored_projects:",
    "owners:": "project_owners:",
    "turns:": "recent_calls:",
    "skew:": "clock_skew:",
}
_FIELDS = {
    "looking_until": "polling_until",
    "look_again": "poll_again",
    "hinted": "webhook_hint",
    "hinted_url": "reported_url",
    "told": "webhook_done",
}

# If both names exist, a worker of the old version wrote after a migration: keep what only the old key has.
_RENAME = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('RENAMENX', KEYS[1], KEYS[2]) == 1 then return 1 end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == redis.call('TYPE', KEYS[2]).ok then
  if kind == 'zset' then redis.call('ZUNIONSTORE', KEYS[2], 2, KEYS[1], KEYS[2], 'AGGREGATE', 'MAX') end
  if kind == 'hash' then
    local all = redis.call('HGETALL', KEYS[1])
    for n = 1, #all, 2 do redis.call('HSETNX', KEYS[2], all[n], all[n + 1]) end
  end
end
redis.call('DEL', KEYS[1])
return 1
"""
# KEYS: record. ARGV: pairs of old and new names -> how many fields were renamed
_RENAME_FIELDS = """
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local renamed = 0
for n = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[n])
  if value then
    redis.call('HSETNX', KEYS[1], ARGV[n + 1], value)
    redis.call('HDEL', KEYS[1], ARGV[n])
    renamed = renamed + 1
  end
end
return renamed
"""


class OldWorkersAlive(RuntimeError):
    """Workers of the old version still write to the ledger."""


@dataclass
class Migrated:
    """What a migration renamed, or would rename."""

    found: str
    """The version that the ledger had; empty for an empty Redis."""
    keys: Counter[str] = field(default_factory=Counter)
    """By old name: how many keys."""
    records: int = 0
    """Records of renders that were read."""
    fields: int = 0
    """Fields of records that were renamed."""


class Migration:
    """Brings a ledger to the schema of this program. Raises `redis.RedisError`."""

    def __init__(self, redis: Redis, *, prefix: str = PREFIX, batch: int = BATCH) -> None:
        self._redis, self._prefix, self._keys, self._batch = redis, prefix, Keys(prefix), batch
        self._rename = redis.register_script(_RENAME)
        self._rename_fields = redis.register_script(_RENAME_FIELDS)

    def run(self, *, dry: bool = False, force: bool = False) -> Migrated:
        """Migrate; `dry` counts and changes nothing. Does nothing if the version is right already.

        A process of schema 1 that ran afterwards wrote under the old names: then those are renamed, or merged.

        Raises `OldWorkersAlive` (not with `force`), and `SchemaMismatch` if the ledger is newer than this program.
        """
        done = Migrated(found_version(self._redis, prefix=self._prefix))
        if done.found not in ("1", MIGRATING) and not old_writes(self._redis, prefix=self._prefix):
            self._check(done.found, dry=dry)
            return done
        if not force and (alive := self.old_workers()):
            raise OldWorkersAlive(
                f"workers of the old version announced themselves in the last {ALIVE_FOR:g} s ({', '.join(alive)}): "
                f"stop them and run this again {ALIVE_FOR:g} s later, or use --force if none is left"
            )
        if not dry:
            self._redis.set(self._keys.schema, MIGRATING)
        for batch in self._batches():
            self._migrate(batch, done, dry=dry)
        if not dry:
            self._redis.set(self._keys.schema, VERSION)
        return done

    def _check(self, found: str, *, dry: bool) -> None:
        """Raise `SchemaMismatch` unless the ledger is empty or has this schema; an empty one gets it, if not `dry`."""
        if not dry:
            check_schema(self._redis, prefix=self._prefix)
        elif found not in ("", str(VERSION)):
            raise SchemaMismatch(f"the ledger has schema {found}; this program knows {VERSION}")

    def old_workers(self) -> list[str]:
        """Return the capabilities that workers of schema 1 announced in the last minute."""
        now: Any = self._redis.time()
        found: Any = self._redis.zrangebyscore(f"{self._prefix}served", now[0] - ALIVE_FOR, "+inf")
        return [str(name) for name in found]

    def _batches(self) -> Iterator[list[str]]:
        names = self._redis.scan_iter(f"{self._prefix}*", count=self._batch)
        while batch := [str(name) for name in islice(names, self._batch)]:
            yield batch

    def _migrate(self, batch: list[str], done: Migrated, *, dry: bool) -> None:
        records = [name for name in batch if name.startswith(self._keys.render(""))]
        moves = [(name, *found) for name in batch if (found := self._new_name(name))]
        done.records += len(records)
        if dry:
            done.keys.update(family for _, _, family in moves)
            done.fields += self._old_fields(records)
            return
        pairs = [name for pair in _FIELDS.items() for name in pair]
        with self._redis.pipeline(transaction=False) as pipe:
            for name in records:
                self._rename_fields(keys=[name], args=pairs, client=pipe)
            for move in moves:
                self._rename(keys=move[:2], client=pipe)
            answers = pipe.execute()
        done.fields += sum(answers[: len(records)])
        done.keys.update(move[2] for move, moved in zip(moves, answers[len(records) :], strict=True) if moved)

    def _new_name(self, name: str) -> tuple[str, str] | None:
        """Return the new name of a key and its family in the counts; None if it keeps its name."""
        short = name.removeprefix(self._prefix)
        if short in _KEYS:
            return f"{self._prefix}{_KEYS[short]}", short
        for old, new in _FAMILIES.items():
            if short.startswith(old):
                return f"{self._prefix}{new}{short.removeprefix(old)}", old.rstrip(":")
        if short.startswith("token:") and short.endswith(":trouble"):
            return f"{self._prefix}{short.removesuffix('trouble')}failure", "token:trouble"
        return None

    def _old_fields(self, records: list[str]) -> int:
        with self._redis.pipeline(transaction=False) as pipe:
            for name in records:
                pipe.hmget(name, list(_FIELDS))
            rows = pipe.execute(raise_on_error=False)
        return sum(value is not None for row in rows if isinstance(row, list) for value in row)
