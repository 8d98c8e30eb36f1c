"""The schema version of the ledger, and of single records.

Program and ledger must have the same `VERSION`. Below it changes are additive, and programs of two levels work side by
side: `docs/upgrading.md` says what is additive, and how a record is kept from programs that do not know it.
"""

from __future__ import annotations

from collections.abc import Mapping

from redis import Redis

from renderline.ledger.keys import PREFIX, Keys

VERSION = 2
"""Raised when a key or field is renamed, removed, or means something else. `renderline migrate` leads to it."""
LEVEL = 0
"""Raised with each addition that a program of an earlier level must leave alone, such as a state or a kind. The records
that have it, and no others, get the field `schema` with the version that handles them."""
MIGRATING = "migrating"
"""The value of the key `schema` while `renderline migrate` runs, and after it was killed."""


def version_of(level: int) -> str:
    """Return the version of records of a level, such as `2.1`."""
    return f"{VERSION}.{level}"


def known_versions() -> list[str]:
    """Return the versions in the field `schema` of records that this program handles; records of 2.0 have none."""
    return [version_of(level) for level in range(1, LEVEL + 1)]


def newer_version(fields: Mapping[str, str]) -> str | None:
    """Return the version that a record needs, if it is newer than this program; None if this program handles it."""
    needs = fields.get("schema")
    return None if needs is None or needs in (version_of(0), *known_versions()) else needs


_COMMAND = "stop the workers and gateways, and run: renderline migrate"

# Schema 1 had no version key. Only it has these keys; without renders and workers it may have none of them.
_OF_VERSION_1 = ("served", "wake", "dead", "limits", "hookowners", "turn", "quarantined")


class SchemaMismatch(RuntimeError):
    """The ledger has another schema than this program; the message says which, and what to do."""


def found_version(redis: Redis, *, prefix: str = PREFIX) -> str:
    """Return the version of the ledger, `migrating` for one between versions, and empty for an empty Redis."""
    keys = Keys(prefix)
    with redis.pipeline(transaction=False) as pipe:
        pipe.get(keys.schema)
        pipe.exists(keys.renders, *(f"{prefix}{name}" for name in _OF_VERSION_1))
        version, of_version_1 = pipe.execute()
    if version:
        return str(version)
    # Schema 2 sets the version with the first render and with every announcement of a worker.
    return "1" if of_version_1 else ""


def old_writes(redis: Redis, *, prefix: str = PREFIX) -> bool:
    """Return whether a process of schema 1 wrote to a ledger that had been migrated: it does not check the version."""
    return found_version(redis, prefix=prefix) == str(VERSION) and bool(
        redis.exists(*(f"{prefix}{name}" for name in _OF_VERSION_1))
    )


def check_schema(redis: Redis, *, prefix: str = PREFIX) -> None:
    """Raise `SchemaMismatch` if the ledger has another schema. An empty Redis gets this program's version."""
    version = found_version(redis, prefix=prefix)
    if version == str(VERSION):
        return
    if not version:
        redis.set(Keys(prefix).schema, VERSION, nx=True)
        return
    raise SchemaMismatch(mismatch(version))


def mismatch(version: str) -> str:
    """Return why a process cannot run on a ledger of another schema, and what to do."""
    if version == MIGRATING:
        return f"the migration of the ledger to schema {VERSION} has not finished: {_COMMAND}"
    if version.isdigit() and int(version) < VERSION:
        return f"the ledger has schema {version}; this program needs {VERSION}: {_COMMAND}"
    return (
        f"the ledger has schema {version}; this program knows {VERSION} and is older than the ledger: "
        "deploy the version that wrote it"
    )
