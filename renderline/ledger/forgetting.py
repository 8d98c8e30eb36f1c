"""The ledger's part of forgetting a render: the step that erases its content, and what workers have left to delete."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from renderline.ledger.keys import list_of
from renderline.ledger.store import Ledger
from renderline.tenants import DEFAULT

_AT_ONCE: Final = 200
_KEPT: Final = ("attempt", "state", "project_id", "progress", "credit", "attempts", "polls", "times")


class ForgetStep(NamedTuple):
    """What the step did: `done`, `again` (it was forgotten before), or why nothing: `hook`, `state`, empty (none)."""

    status: str
    detail: str
    """The state in which it is, or for how many seconds its hook may still be under way."""


class Forgetting:
    """Forgets renders in the ledger. Every method raises `redis.RedisError` if it cannot be reached."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys

    def forget(self, record: Mapping[str, Any], *, projects: bool, uploads: Sequence[str]) -> ForgetStep:
        """Erase the content of a render that has ended, of which this is the public record.

        `projects`: those at the vendor are to be deleted too. `uploads` are the SHA-256 of the files that it named.
        """
        history = [{**{name: one.get(name) for name in _KEPT}, "error": None, "hooks": []} for one in record["history"]]
        texts = json.dumps(history, separators=(",", ":")) if history else ""
        own = (record["id"], record["attempt"], texts, "1" if projects else "", json.dumps(list(uploads)))
        return ForgetStep(*map(str, self._ledger.run("forget", *own)))

    def body(self, render_id: str) -> str | None:
        """Return the JSON of a render's request body; None if there is none."""
        found = self._redis.get(self._keys.body(render_id))
        return str(found) if found else None

    def left(self, render_id: str, *, account: str) -> list[str]:
        """Return what of a forgotten render is still to be deleted: `file <url>`, `upload <sha256>`, `project <id>`, or
        `list` (the copy of the vendor's list of projects, with their names).
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.smembers(self._keys.forgetting(render_id))
            pipe.zrange(self._keys.forgotten_projects(account), 0, -1)
            things, projects = pipe.execute()
        own = [f"project {one.partition(' ')[2]}" for one in projects if one.startswith(f"{render_id} ")]
        return sorted(map(str, things)) + sorted(own)

    def due(self, *, limit: int, lease: float) -> list[str]:
        """Claim forgotten renders of which something in a storage is left; they are due again after `lease` seconds."""
        return [str(one) for one in self._ledger.run("forgetting_claim", limit, lease)]

    def things(self, render_id: str) -> list[str]:
        """Return what is left of a forgotten render, apart from the vendor's projects."""
        return sorted(map(str, self._redis.smembers(self._keys.forgetting(render_id))))

    def gone(self, render_id: str, thing: str) -> None:
        """Note that one of them is deleted."""
        key = self._keys.forgetting(render_id)
        with self._redis.pipeline() as pipe:
            pipe.srem(key, thing)
            pipe.exists(key)
            if not pipe.execute()[-1]:
                self._redis.zrem(self._keys.forgetting(), render_id)

    def drop_claim(self, url: str) -> None:
        """Drop the claim of a stored file that is deleted."""
        self._redis.delete(self._keys.stored_file(url))

    def drop_list(self, account: str, name: str) -> None:
        """Drop the copy of a list of the vendor, which has names of projects."""
        self._redis.delete(self._keys.catalogue(account, name))

    def named_elsewhere(self, text: str, *, tenant: str) -> bool:
        """Return whether the request of any render of the tenant has this text. It reads them all."""
        for ids in self._ids(tenant):
            bodies: Any = self._redis.mget([self._keys.body(one) for one in ids])
            naming = [one for one, body in zip(ids, bodies, strict=True) if body and text in body]
            # The list of the default tenant has the renders of all.
            if any(self._ledger.tenant_of(one) == tenant for one in naming):
                return True
        return False

    def _ids(self, tenant: str) -> Iterator[list[str]]:
        cursor, key = 0, list_of(tenant or DEFAULT, self._keys.renders)
        while True:
            cursor, rows = self._redis.zscan(key, cursor=cursor, count=_AT_ONCE)
            if rows:
                yield [str(one) for one, _ in rows]
            if not cursor:
                return

    def due_projects(self, account: str, *, limit: int, lease: float) -> list[tuple[str, str, str]]:
        """Claim projects of forgotten renders, as `Ledger.claim_orphan_drafts` does: (id, project, member to clear)."""
        members = self._ledger.run("cleanup_claim", self._keys.forgotten_projects(account), account, limit, lease)
        return [(*str(one).split(" ", 1), str(one)) for one in members]  # type: ignore[misc]

    def project_gone(self, account: str, render_id: str, member: str) -> None:
        """Note that a project of a forgotten render is deleted; its record no longer names it."""
        project = member.partition(" ")[2]
        with self._redis.pipeline() as pipe:
            pipe.zrem(self._keys.forgotten_projects(account), member)
            pipe.hdel(self._keys.project_tenants(account), project)
            pipe.hget(self._keys.render(render_id), "project_id")
            if pipe.execute()[-1] == project:
                self._redis.hdel(self._keys.render(render_id), "project_id")
