"""Which submissions wait for a worker and for nothing else: what more workers would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from redis import Redis

from renderline.ledger.keys import Keys

_MOST_OWNERS = 300
"""Tenants of the accounts together whose parked submissions are looked at."""
_BANDS = (0, 1e10, 2e10)
"""What the ledger adds to the time of acceptance for the priorities high, normal and low (`park` in the scripts)."""


def oldest_submissions(
    redis: Redis,
    keys: Keys,
    accounts: Sequence[str],
    ready: Sequence[str],
    queued: Mapping[tuple[str, str], float],
) -> dict[str, float | None]:
    """Return for each account since when (epoch seconds) the submission waits that has waited longest for a worker.

    `ready` are the accounts that hold up nothing themselves: of these a submission that is parked waits for its turn in
    the queue, so it counts from its acceptance. A message in the queue counts for every account, since it was sent;
    `queued` has the oldest by owner and lane.
    """
    since: dict[str, list[float]] = {one: [] for one in accounts}
    for (owner, lane), sent in queued.items():
        account = owner.partition("/")[0]
        if lane.startswith("submit.") and account in since:
            since[account].append(sent)
    for account, accepted in _parked(redis, keys, ready):
        since[account].append(accepted)
    return {one: min(times, default=None) for one, times in since.items()}


def _parked(redis: Redis, keys: Keys, accounts: Sequence[str]) -> list[tuple[str, float]]:
    """Return (account, time of acceptance) of the oldest parked submission of each owner and priority."""
    with redis.pipeline(transaction=False) as pipe:
        for one in accounts:
            pipe.zrange(keys.owners(one), 0, _MOST_OWNERS)
        found = pipe.execute(raise_on_error=False)
    owners = [
        (one, str(owner))
        for one, named in zip(accounts, found, strict=True)
        for owner in dict.fromkeys([one, *(named if isinstance(named, list) else ())])
    ][:_MOST_OWNERS]
    with redis.pipeline(transaction=False) as pipe:
        for _, owner in owners:
            for band in _BANDS:
                pipe.zrange(
                    keys.parked(owner),
                    int(band),
                    f"({int(band + 1e10)}",
                    byscore=True,
                    offset=0,
                    num=1,
                    withscores=True,
                )
        rows = pipe.execute(raise_on_error=False)
    waiting = []
    asked = [(account, band) for account, _ in owners for band in _BANDS]
    for (account, band), answer in zip(asked, rows, strict=True):
        if isinstance(answer, list) and answer:
            waiting.append((account, float(answer[0][1]) - band))
    return waiting
