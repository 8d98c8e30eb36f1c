"""Commands of operators and effects of webhooks: cancel, retry, replay, adopt, resubmit, pause, webhook hints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast, get_args

from renderline.ledger.claims import PumpWake
from renderline.ledger.keys import list_of
from renderline.ledger.quota import UNLIMITED, Quota, QuotaExceeded
from renderline.ledger.record import attempt_summary
from renderline.ledger.store import Ledger

REVOKED = "revoked"
"""The answer to a webhook about a revoked draft: the vendor rendered it all the same."""


Turn = Literal["", "due", "waits"]
"""Whether a new submission is sent now (`due`) or waits for its account's turn (`waits`); empty: not done."""


class Alarm(NamedTuple):
    """A webhook about a revoked draft."""

    render_id: str
    attempt: int
    draft: int
    at: float
    """Time of the latest webhook, in epoch seconds of the ledger's clock."""


class Commands:
    """Steps that operators and webhooks take. Each is atomic, and does nothing where it does not apply."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._keys, self._run = ledger, ledger.keys, ledger.run

    def cancel(self, render_id: str, *, by: str = "") -> str:
        """Cancel a render; returns its state afterwards, empty for an unknown render. `by` is who did it.

        Before submission nothing is sent. Afterwards it is no longer polled, and only hooks that asked for
        `render.canceled` run.
        """
        return str(self._run("cancel", render_id, by))

    def retry(
        self,
        render_id: str,
        *,
        quota_of: Callable[[str], Quota] = lambda _: UNLIMITED,
        resume_at: Callable[[Mapping[str, Any]], str] = lambda _: "",
    ) -> Turn:
        """Start a failed or expired render anew in the same record; empty if it is in another state.

        The attempt that ended is kept in the record's history. Raises `QuotaExceeded` if the quota of its tenant, which
        `quota_of` returns, is used up. `resume_at` returns the stage at which the new attempt begins (empty: the
        first); what the paid stages before it made is kept.
        """
        record = self._ledger.record(render_id)
        if record is None:
            return ""
        history = json.dumps([*record["history"], attempt_summary(record)], separators=(",", ":"))
        tenant = record["tenant"]
        quota = quota_of(tenant).arguments()
        turn = self._run("retry", render_id, record["attempt"], history, *quota, resume_at(record))
        if turn not in get_args(Turn):
            raise QuotaExceeded.of(turn, tenant=tenant)
        return cast(Turn, turn)

    def hold(self, render_id: str, *, by: str, reason: str) -> str:
        """Hold an accepted render back from its submission; returns the state that it was in, empty for an unknown one.

        A render in any other state does not change; one that is held already was `HELD`.
        """
        return str(self._run("hold", render_id, by, reason))

    def release(self, render_id: str) -> Turn:
        """Let a held render be submitted; empty: it is not held."""
        turn: Turn = self._run("release", render_id)
        return turn

    def replay(self, render_id: str, index: int) -> bool:
        """Deliver a dead-lettered hook again, under the same webhook id; False if it is not dead."""
        return bool(self._run("replay", render_id, index))

    def dead_hooks(self, records: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        """Return for each public record the numbers of its hooks that are in the dead-letter list."""
        dead = [[index for index, hook in enumerate(record["hooks"]) if hook["state"] == "dead"] for record in records]
        members = [f"{record['id']}:{index}" for record, own in zip(records, dead, strict=True) for index in own]
        if not members:
            return dead
        scores: Any = self._ledger.redis.zmscore(self._keys.dead_letters, members)
        listed = {member for member, score in zip(members, scores, strict=True) if score is not None}
        return [
            [index for index in own if f"{record['id']}:{index}" in listed]
            for record, own in zip(records, dead, strict=True)
        ]

    def discard(self, render_id: str, index: int) -> bool:
        """Take a hook off the dead-letter list without delivering it; False if it was not on it."""
        tenant = self._ledger.tenant_of(render_id)
        with self._ledger.redis.pipeline() as pipe:
            for name in dict.fromkeys((self._keys.dead_letters, list_of(tenant, self._keys.dead_letters))):
                pipe.zrem(name, f"{render_id}:{index}")
            return bool(pipe.execute()[0])

    def adopt(self, render_id: str, project_id: str) -> tuple[bool, PumpWake | None]:
        """Set the vendor project of an unconfirmed render, which goes on as rendering. False: it is not unconfirmed."""
        done, wake = self._run("adopt", render_id, project_id)
        return bool(done), self._wake(render_id, wake)

    def resubmit(self, render_id: str) -> Turn:
        """Repeat the paid call of an unconfirmed render that was never started; empty: it is not unconfirmed."""
        turn: Turn = self._run("resubmit", render_id)
        return turn

    def give_up(self, render_id: str, *, message: str) -> str:
        """Fail an unconfirmed render; returns its earlier state, empty for an unknown render.

        A render in any other state does not change.
        """
        return str(self._run("give_up", render_id, message))

    def record_webhook(
        self,
        render_id: str,
        *,
        progress: float | None = None,
        credit: float | None = None,
        url: str | None = None,
        project_id: str | None = None,
        attempt: int | None = None,
        draft: int | None = None,
        poll_in: float = 0.0,
        alive_for: float = 0.0,
    ) -> tuple[str, PumpWake | None]:
        """Record a vendor webhook. It may confirm an unconfirmed render, and a webhook that reports the end makes a
        poll due.

        `attempt` and `draft` are those that the webhook is about (None: any). A webhook that reports progress puts the
        next poll off to `poll_in` seconds from now. For `alive_for` seconds more webhooks of the account are expected.

        Returns the render's state and the pump to wake. The state is empty for an unknown render or another attempt,
        and `REVOKED` for a revoked draft: then only `alarms` changes.
        """
        fields = ("" if value is None else value for value in (progress, credit, url, project_id, attempt))
        state, wake = self._run("webhook", render_id, *fields, poll_in, alive_for, "" if draft is None else draft)
        return state, self._wake(render_id, wake)

    def pause(self, account: str) -> None:
        """Submit nothing more for this account until it is resumed. Renders at the vendor are still polled."""
        self._ledger.redis.sadd(self._keys.paused, account)

    def resume(self, account: str) -> bool:
        """Let an account go on; False if nothing held it back. The sweep sends its parked renders.

        It lifts a pause, a backoff, an open circuit, and a hold.
        """
        return bool(self._run("resume", account))

    def paused(self) -> set[str]:
        """Return the names of the paused accounts."""
        return {str(name) for name in self._ledger.redis.smembers(self._keys.paused)}

    def holds(self) -> dict[str, str]:
        """Return, by account, why the vendor refuses to render for it."""
        names = [str(name) for name in sorted(self._ledger.redis.smembers(self._keys.accounts))]
        with self._ledger.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(self._keys.hold(name), "reason")
            return {name: str(reason) for name, reason in zip(names, pipe.execute(), strict=True) if reason}

    def open_circuits(self) -> set[str]:
        """Return the accounts with an open circuit: only one call at a time probes the vendor."""
        names = [str(name) for name in self._ledger.redis.smembers(self._keys.accounts)]
        with self._ledger.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hexists(self._keys.circuit(name), "until")
            return {name for name, is_open in zip(names, pipe.execute(), strict=True) if is_open}

    def alarms(self, *, limit: int = 1000) -> list[Alarm]:
        """Return up to `limit` alarms, the newest first; the newest 1,000 are kept, each for the retention."""
        key = self._keys.alarms
        newest: Any = self._ledger.redis.zrevrange(key, 0, limit - 1, withscores=True)
        return [Alarm(*_draft(member), at) for member, at in newest]

    def accounts_without_worker(self) -> set[str]:
        """Return the accounts that have work, but that no live worker knows.

        If workers know the account and lack the API that its renders need, the API is named too: `main (v2)`.
        """
        served = self._ledger.capabilities()
        unknown = {name for name in self._ledger.active_accounts() if f"account:{name}" not in served}
        lacking = [one.partition(":") for one in self._ledger.missing_apis() if f"api:{one}" not in served]
        return unknown | {f"{name} ({api})" for api, _, name in lacking if name not in unknown}

    def _wake(self, render_id: str, raw: list[str] | None) -> PumpWake | None:
        if not raw:
            return None
        account = str(self._ledger.redis.hget(self._keys.render(render_id), "account"))
        return PumpWake(account, int(raw[0]), int(raw[1]), float(raw[2]))


def _draft(member: str) -> tuple[str, int, int]:
    render_id, attempt, draft = member.rsplit(".", 2)
    return render_id, int(attempt), int(draft)
