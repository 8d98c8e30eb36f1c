"""The ledger: every render's record in Redis, changed only by atomic, fenced steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import ResponseError

from renderline.ledger.accept import AcceptSteps
from renderline.ledger.capabilities import CapabilitySteps
from renderline.ledger.hooks import HookSteps
from renderline.ledger.labels import load_labels
from renderline.ledger.parsing import answers_of, record_of
from renderline.ledger.polling import PollSteps
from renderline.ledger.record import load_meta
from renderline.ledger.schema import newer_version
from renderline.ledger.submission import SubmissionSteps
from renderline.ledger.sweep import SweepSteps
from renderline.tenants import DEFAULT


class Ledger(AcceptSteps, SubmissionSteps, PollSteps, HookSteps, SweepSteps, CapabilitySteps):
    """Reads and changes render records. All times are epoch seconds of the Redis server's clock.

    `grace` is how long (seconds) a render may stall before the sweep sends its message again. `clock` replaces the
    server's clock in tests. `observer` learns of every transition that this process makes. Every method raises
    `redis.RedisError` if the server cannot be reached.
    """

    def record(self, render_id: str) -> dict[str, Any] | None:
        """Return the public record of a render, or None if there is none."""
        return self.records([render_id])[0]

    def records(self, ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """Return the public records of several renders in one round trip, None where there is none."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hgetall(self.keys.render(one))
                pipe.mget(self.keys.meta(one), self.keys.history(one))
            raw = answers_of(pipe.execute(raise_on_error=False))
        return [
            record_of(one, fields, texts) if fields else None
            for one, fields, texts in zip(ids, raw[::2], raw[1::2], strict=True)
        ]

    def hooks_of(self, render_id: str) -> list[dict[str, Any]]:
        """Return the hook objects of a render in the request's order."""
        return load_meta(str(self.redis.get(self.keys.meta(render_id)) or "")).get("hooks", [])

    def labels_of(self, ids: Sequence[str]) -> list[dict[str, str]]:
        """Return the labels of several renders, as log lines show them."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hget(self.keys.render(one), "labels")
            found = answers_of(pipe.execute(raise_on_error=False))
        return [load_labels(one if isinstance(one, str) else None) for one in found]

    def drafts(self, ids: Sequence[str]) -> list[int]:
        """Return, for each render, the number of its current draft."""
        with self.redis.pipeline(transaction=False) as pipe:
            for one in ids:
                pipe.hget(self.keys.render(one), "draft")
            return [int(found or 1) for found in pipe.execute()]

    def tenant_of(self, render_id: str) -> str | None:
        """Return the tenant of a render, or None if there is no such render."""
        try:
            found: Any = self.redis.hmget(self.keys.render(render_id), "state", "tenant")
        except ResponseError:
            # Unreadable: its key holds something else.
            return DEFAULT
        state, tenant = found
        return str(tenant or DEFAULT) if state or tenant else None

    def newer_version(self, render_id: str) -> str | None:
        """Return the version of records that a render needs, if this program does not handle it; otherwise None."""
        try:
            needs: Any = self.redis.hget(self.keys.render(render_id), "schema")
        except ResponseError:
            # Unreadable: its key holds something else.
            return None
        return newer_version({"schema": needs}) if needs is not None else None

    def project_tenant(self, account: str, project_id: str) -> str | None:
        """Return the tenant whose render made a vendor project; None if no render is known to have made it."""
        return self.tenants_of_projects(account, [project_id])[0]

    def tenants_of_projects(self, account: str, ids: Sequence[str]) -> list[str | None]:
        """Return, for each vendor project, the tenant whose render made it; None if no render is known to have."""
        if not ids:
            return []
        # The vendor gives its hexadecimal ids in lower case, and may well read both.
        spellings = [spelling for one in ids for spelling in (one, one.lower())]
        with self.redis.pipeline(transaction=False) as pipe:
            pipe.hmget(self.keys.project_tenants(account), spellings)
            pipe.hmget(self.keys.project_owners(account), spellings)
            tenants, owners = map(_either, pipe.execute())
        return [
            str(tenant)
            if tenant is not None
            else None
            if owner is None
            else self.tenant_of(str(owner).rpartition(".")[0])
            for tenant, owner in zip(tenants, owners, strict=True)
        ]

    def tenants(self) -> set[str]:
        """Return the tenants other than the default one that have had a render or an API key."""
        return {str(name) for name in self.redis.smembers(self.keys.tenants)}

    def priority_of(self, render_id: str) -> str:
        """Return the priority of a render; `normal` if it is gone."""
        return str(self.redis.hget(self.keys.render(render_id), "priority") or "normal")


def _either(found: Sequence[Any]) -> list[Any]:
    """Return one value for each pair: the first, else the second."""
    return [first if first is not None else second for first, second in zip(found[::2], found[1::2], strict=True)]
