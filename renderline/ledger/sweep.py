"""The ledger's steps for the sweep and cleanup: stalled, overdue and old renders, and cleanup tasks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from renderline.ledger.claims import PumpWake
from renderline.ledger.steps import Steps
from renderline.renders import FINAL

SWEPT_AT_ONCE = 50
"""How many renders one step of the sweep takes. Redis is blocked meanwhile, for a few milliseconds."""


GAP = 120.0
"""Seconds without any worker after which an account is looked through before its next submission."""


class LedgerInDoubt(Exception):
    """The ledger was restored from a snapshot, and what the vendor did since is not settled."""

    def __init__(self) -> None:
        super().__init__(
            "the ledger was restored: nothing goes on until renderline reconcile has settled the differences"
        )


class SweepSteps(Steps):
    """The part of the ledger for sweep and cleanup."""

    def sweep_turn(self, holder: str, *, seconds: float, every: float) -> bool:
        """Take or extend the sweep lock for `seconds`; False if another worker has it, or had it within `every`
        seconds.

        Each turn notes that the ledger is alive. Raises `LedgerInDoubt` while it is in doubt, also if this process
        knows that it was alive later than it says.
        """
        turn, lived = self.run("sweep_turn", holder, seconds, max(1, int(every * 900)), self.seen, GAP)
        self.seen = str(lived)
        if turn < 0:
            raise LedgerInDoubt
        return bool(turn)

    def end_sweep(self, holder: str, *, whole: bool = True) -> bool:
        """Release the sweep lock; False if it had expired. `whole`: all parts of the sweep were done."""
        return bool(self.run("sweep_end", holder, int(whole)))

    def stalled(
        self, *, limit: int = SWEPT_AT_ONCE, oldest: Mapping[str, str] | None = None
    ) -> list[tuple[str, str, str]]:
        """Claim up to `limit` stalled renders, to be sent again: (id, state, priority); none: no more.

        `oldest` has, by lane, the oldest message in its queue; later messages are not sent again. Lanes with an empty
        queue are left out.
        """
        self.run("sweep_lost", json.dumps(dict(oldest or {})))
        while True:
            seen, items = self.run("sweep_stalled", limit)
            if items or seen < limit:
                return [tuple(item) for item in items]

    def overdue(self, *, limit: int = SWEPT_AT_ONCE) -> tuple[list[str], list[PumpWake]]:
        """Expire renders that were polled after their deadline; make a last poll due for the others.

        Handles `limit` renders or more. If nothing expired and there is no pump to start, no overdue render is left.
        """
        while True:
            seen, expired, wakes = self.run("sweep_overdue", limit)
            if expired or wakes or seen < limit:
                return expired, [PumpWake(one[0], int(one[1]), int(one[2]), float(one[3])) for one in wakes]

    def restart_pumps(self) -> list[PumpWake]:
        """Return the pumps to start for accounts with due polls and no running pump."""
        accounts: Any = self.redis.smembers(self.keys.accounts)
        names, wakes = sorted(accounts), []
        for first in range(0, len(names), SWEPT_AT_ONCE):
            wakes += self.run("sweep_pumps", *names[first : first + SWEPT_AT_ONCE])
        return [PumpWake(one[0], int(one[1]), int(one[2]), float(one[3])) for one in wakes]

    def due_cleanup(self, accounts: Sequence[str]) -> list[str]:
        """Return the accounts with due cleanup tasks: vendor calls that no render waits for."""
        now: Any = self.redis.time()
        with self.redis.pipeline(transaction=False) as pipe:
            for account in accounts:
                pipe.zcount(self.keys.orphan_drafts(account), "-inf", now[0])
                pipe.zcount(self.keys.stored_projects(account), "-inf", now[0])
                pipe.zcount(self.keys.forgotten_projects(account), "-inf", now[0] + 1)
                pipe.sismember(self.keys.unchecked, account)
            found = pipe.execute()
        each = zip(accounts, found[::4], found[1::4], found[2::4], found[3::4], strict=True)
        return [account for account, *due in each if any(due)]

    def claim_orphan_drafts(self, account: str, *, limit: int, lease: float) -> list[tuple[str, int, str]]:
        """Claim renders that may have an orphan draft: (id, attempt, member to clear).

        None while the account may make no calls. Members that are not cleared within `lease` seconds are due again.
        """
        due = self.run("cleanup_claim", self.keys.orphan_drafts(account), account, limit, lease)
        parts = [(member, *member.partition("#")[0].split(".")) for member in due]
        return [(one, int(attempt), member) for member, one, attempt in parts]

    def clear_orphan_drafts(self, account: str, members: Sequence[str]) -> None:
        """Remove searched members from the list of orphan drafts."""
        self.redis.zrem(self.keys.orphan_drafts(account), *members)

    def claim_stored_projects(self, account: str, *, limit: int, lease: float) -> list[str]:
        """Claim renders with a vendor project to delete, as `claim_orphan_drafts` does."""
        return list(self.run("cleanup_claim", self.keys.stored_projects(account), account, limit, lease))

    def project_deleted(self, account: str, project_id: str) -> None:
        """Forget whose a vendor project was that no longer exists."""
        self.redis.hdel(self.keys.project_tenants(account), project_id)

    def clear_stored_project(self, account: str, render_id: str) -> None:
        """Take a render off the list of projects to delete."""
        self.redis.zrem(self.keys.stored_projects(account), render_id)

    def forget(self, *, retention: float) -> int:
        """Delete ended renders older than `retention` seconds; returns how many."""
        return sum(self.forget_in_batches(retention=retention))

    def forget_in_batches(self, *, retention: float, limit: int = SWEPT_AT_ONCE) -> Iterator[int]:
        """Delete ended renders older than `retention` seconds, `limit` in a step; yields the number of each step."""
        for state in sorted(FINAL):
            passed_over = 0
            seen = limit
            while seen >= limit:
                seen, dropped = self.run("sweep_forget", retention, limit, state, passed_over)
                passed_over += seen - dropped
                yield dropped
