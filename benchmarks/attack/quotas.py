"""More than a key or tenant may have: renders at once and per day, requests per minute hidden in batches."""

from __future__ import annotations

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, QUOTAS, Gateway, Target, a_render

_RATE = 30


def _accepted(answer: requests.Response) -> int:
    if answer.status_code != 202:
        return 0
    found = answer.json()
    return int(found.get("accepted", 1))


def _batch(gateway: Gateway, key: str, size: int) -> requests.Response:
    body = {"requests": [{"request": a_render("[sandbox:slow=30]")} for _ in range(size)]}
    return gateway.ask("POST", "/v1/renders/batch", body, key=key)


@attack("batched-calls", "a rate limit of 30 requests a minute, and batches that hold more")
def batched_calls(target: Target, long: bool) -> Finding:
    with target.another_gateway("rate", RENDERLINE_API_RATE=f"{_RATE}/minute") as gateway:
        accepted = [_accepted(_batch(gateway, target.keys[ATTACKER], 20)) for _ in range(5)]
    figure = f"{sum(accepted)} requests accepted in five batches, {_RATE} allowed"
    return Finding(0 < sum(accepted) <= _RATE, figure)


@attack("quota-overrun", "more renders than a tenant may have in flight, or per day")
def quota_overrun(target: Target, long: bool) -> Finding:
    figures, held = [], True
    for tenant, (limit, most) in QUOTAS.items():
        key = target.new_key(tenant)
        accepted = 0
        ids = []
        for _ in range(most + 3):
            answer = target.gateway.ask("POST", "/v1/renders", a_render("[sandbox:slow=30]"), key=key)
            accepted += _accepted(answer)
            ids += [answer.json()["id"]] if answer.status_code == 202 else []
        accepted += _accepted(_batch(target.gateway, key, most + 3))
        for render_id in ids:
            target.gateway.ask("POST", f"/v1/renders/{render_id}/cancel", key=key)
        held = held and accepted == most
        figures.append(f"{limit} {most}: {accepted} accepted")
    return Finding(held, "; ".join(figures))
