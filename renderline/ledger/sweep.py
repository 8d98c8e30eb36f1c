"""What the sweep and the cleanup tasks ask of the ledger: what stalled, what is overdue, what is old."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from redis import Redis

from renderline.ledger.claims import PumpWake
from renderline.ledger.keys import Keys
from renderline.renders import FINAL

SWEPT_AT_ONCE = 50
"""How many renders a step of the sweep sees to: Redis does nothing else meanwhile, for a few milliseconds."""


class SweepSteps:
    """The part of the ledger that the sweep uses. Every method raises `redis.RedisError`."""

    redis: Redis
    keys: Keys
    run: Any

    def sweep_turn(self, holder: str, *, seconds: float, every: float) -> bool:
        """Take, or keep, the turn to sweep for `seconds`; False if another has it, or had it within `every` seconds."""
        return bool(self.run("sweep_turn", holder, seconds, max(1, int(every * 900))))

    def end_sweep(self, holder: str) -> bool:
        """Hand the turn to sweep back; False if it was over."""
        return bool(self.run("sweep_end", holder))

    def stalled(
        self, *, limit: int = SWEPT_AT_ONCE, oldest: Mapping[str, str] | None = None
    ) -> list[tuple[str, str, str]]:
        """Take up to `limit` renders that stalled for too long: (id, state, priority), to be sent again; none: no more.

        `oldest` is by lane the member of the oldest message in its queue: what was sent after it is not
        sent again. A lane whose queue is empty is left out.
        """
        self.run("sweep_lost", json.dumps(dict(oldest or {})))
        while True:
            seen, items = self.run("sweep_stalled", limit)
            if items or seen < limit:
                return [tuple(item) for item in items]

    def overdue(self, *, limit: int = SWEPT_AT_ONCE) -> tuple[list[str], list[PumpWake]]:
        """Expire renders that passed their deadline and were polled since; have the others polled once more, now.

        Sees to `limit` renders or more; nothing to expire and no pump to start: there are no more.
        """
        while True:
            seen, expired, wakes = self.run("sweep_overdue", limit)
            if expired or wakes or seen < limit:
                return expired, [PumpWake(one[0], int(one[1]), int(one[2]), float(one[3])) for one in wakes]

    def restart_pumps(self) -> list[PumpWake]:
        """Return the pumps to start for accounts whose due renders no pump is going to poll."""
        accounts: Any = self.redis.smembers(self.keys.accounts)
        names, wakes = sorted(accounts), []
        for first in range(0, len(names), SWEPT_AT_ONCE):
            wakes += self.run("sweep_pumps", *names[first : first + SWEPT_AT_ONCE])
        return [PumpWake(one[0], int(one[1]), int(one[2]), float(one[3])) for one in wakes]

    def due_cleanup(self, accounts: Sequence[str]) -> list[str]:
        """Return the accounts with cleanup tasks that are due: vendor calls that no render waits for."""
        now: Any = self.redis.time()
        with self.redis.pipeline(transaction=False) as pipe:
            for account in accounts:
                pipe.zcount(self.keys.orphan_drafts(account), "-inf", now[0])
                pipe.zcount(self.keys.stored_projects(account), "-inf", now[0])
            found = pipe.execute()
        return [account for account, *due in zip(accounts, found[::2], found[1::2], strict=True) if any(due)]

    def claim_orphan_drafts(self, account: str, *, limit: int, lease: float) -> list[tuple[str, int, str]]:
        """Claim renders that may have an orphan draft to look for now: (id, attempt, member to clear).

        None while the account may make no calls. Those that are not cleared within `lease` seconds are due again.
        """
        due = self.run("cleanup_claim", "orphan_drafts", account, limit, lease)
        parts = [(member, *member.partition("#")[0].split(".")) for member in due]
        return [(one, int(attempt), member) for member, one, attempt in parts]

    def clear_orphan_drafts(self, account: str, members: Sequence[str]) -> None:
        """Remove members that were searched for from the list of orphan drafts."""
        self.redis.zrem(self.keys.orphan_drafts(account), *members)

    def claim_stored_projects(self, account: str, *, limit: int, lease: float) -> list[str]:
        """Claim renders whose project at the vendor is to be deleted, as `orphan_drafts` does."""
        return list(self.run("cleanup_claim", "stored_projects", account, limit, lease))

    def clear_stored_project(self, account: str, render_id: str) -> None:
        """Take a render off the list of those whose project is to be deleted."""
        self.redis.zrem(self.keys.stored_projects(account), render_id)

    def forget(self, *, retention: float) -> int:
        """Drop finished records older than `retention` seconds; returns how many."""
        return sum(self.forget_in_batches(retention=retention))

    def forget_in_batches(self, *, retention: float, limit: int = SWEPT_AT_ONCE) -> Iterator[int]:
        """Drop finished records older than `retention` seconds, `limit` in a step; yields how many each dropped."""
        for state in sorted(FINAL):
            passed_over = 0
            seen = limit
            while seen >= limit:
                seen, dropped = self.run("sweep_forget", retention, limit, state, passed_over)
                passed_over += seen - dropped
                yield dropped
