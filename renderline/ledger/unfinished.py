"""The requests of renders that have not ended."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from renderline.ledger.store import Ledger
from renderline.renders import FINAL, State
from renderline.tenants import DEFAULT

_AT_ONCE = 500


class UnfinishedRequest(NamedTuple):
    """A request whose render has not ended; `body` is the JSON that `RenderRequest.body_json` wrote."""

    tenant: str
    kind: str
    body: str


def unfinished_requests(ledger: Ledger, kinds: Collection[str]) -> Iterator[UnfinishedRequest]:
    """Yield the requests of these kinds whose renders have not ended, some hundreds in a step."""
    redis, keys = ledger.redis, ledger.keys
    for state in State:
        if state in FINAL:
            continue
        # As the set is now: a render that moves on meanwhile is found in the next state, or here.
        ids: Any = redis.zrange(keys.state(state), 0, -1)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            with redis.pipeline(transaction=False) as pipe:
                for one in some:
                    pipe.hmget(keys.render(one), "kind", "tenant")
                found = pipe.execute()
            wanted = [
                (one, kind, tenant or DEFAULT) for one, (kind, tenant) in zip(some, found, strict=True) if kind in kinds
            ]
            bodies: Any = redis.mget([keys.body(one) for one, _, _ in wanted]) if wanted else []
            yield from (
                UnfinishedRequest(tenant, kind, body)
                for (_, kind, tenant), body in zip(wanted, bodies, strict=True)
                if body
            )
