"""The audit trail: what people did to renders, hooks, accounts, keys and the quarantine, and who did it.

It is bounded, and refusals are noted too. So each tenant has a trail of its own: none can push out what others did.
"""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, cast

from redis import Redis

from renderline.ledger.keys import PREFIX, Keys
from renderline.ledger.record import iso
from renderline.tenants import DEFAULT, Actor

MOST_ENTRIES: Final = 10_000
_LONGEST: Final = 300


class AuditEntry(NamedTuple):
    """One action. A field that does not apply is empty."""

    at: str
    """ISO 8601, of the clock of the Redis server."""
    action: str
    target: str
    """What it was done to: `render <id>`, `hook <id>/<index>`, `account <name>`, `key <id>`, `quarantine <entry>`."""
    outcome: str
    """`done`, or why it was refused."""
    door: str
    tenant: str
    """The tenant of the actor; empty: all tenants."""
    key: str
    name: str
    """The name of the API key, or on the command line the user of the operating system."""


class Audit:
    """Appends to the audit trail and reads it; about the newest 10,000 entries of each tenant are kept, and as many of
    actors for all tenants.

    Every method raises `redis.RedisError` if the server cannot be reached.
    """

    def __init__(self, redis: Redis, *, prefix: str = PREFIX) -> None:
        self._redis, self._keys = redis, Keys(prefix)

    @contextmanager
    def noting(self, action: str, actor: Actor, target: str, *, refusals: type[Exception]) -> Iterator[None]:
        """Note an action once it is done, or was refused with one of `refusals`, which is raised again."""
        try:
            yield
        except refusals as refused:
            self.note(action, actor, target, f"refused: {refused}")
            raise
        self.note(action, actor, target)

    def note(self, action: str, actor: Actor, target: str, outcome: str = "done") -> None:
        """Append an entry."""
        fields: dict[Any, Any] = {
            "action": action,
            "target": target,
            "outcome": outcome[:_LONGEST],
            "door": actor.door,
            "tenant": actor.tenant or "",
            "key": actor.key_id or "",
            "name": actor.name if actor.door != "command line" else login(),
        }
        kept = {name: value.encode(errors="replace") for name, value in fields.items() if value}
        self._redis.xadd(self._keys.audit_of(actor.tenant), kept, maxlen=MOST_ENTRIES, approximate=True)

    def entries(self, *, limit: int = 100, tenant: str | None = None) -> list[AuditEntry]:
        """Return the newest entries, newest first; with `tenant` those of actors of that tenant."""
        known = cast("set[str]", self._redis.smembers(self._keys.tenants))
        tenants = sorted({DEFAULT, *known}) if tenant is None else [tenant]
        with self._redis.pipeline(transaction=False) as pipe:
            for each in tenants:
                pipe.xrevrange(self._keys.audit_of(each), count=limit)
            # Of a time before tenants had trails of their own it has theirs too.
            pipe.xrevrange(self._keys.audit_of(None), count=limit if tenant is None else MOST_ENTRIES * 2)
            rows = [row for trail in pipe.execute() for row in trail]
        rows.sort(key=lambda row: tuple(map(int, row[0].split("-"))), reverse=True)
        found = [_entry(one, fields) for one, fields in rows]
        return [entry for entry in found if tenant is None or entry.tenant == tenant][:limit]


def _entry(one: str, fields: dict[str, str]) -> AuditEntry:
    known = {name: fields.get(name, "") for name in AuditEntry._fields if name != "at"}
    return AuditEntry(at=iso(int(one.partition("-")[0]) / 1000), **known)


def login() -> str:
    """Return the user of the operating system; empty if it has no name."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return ""
