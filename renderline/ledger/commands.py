"""What people and the vendor's webhooks do to renders: cancel, retry, replay, adopt, resubmit, hint, pause."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from renderline.ledger.claims import PumpWake
from renderline.ledger.record import attempt_summary
from renderline.ledger.store import Ledger

REVOKED = "revoked"
"""What a webhook about a draft that was revoked is answered with: the vendor rendered it all the same."""


Turn = Literal["", "due", "waits"]
"""Whether a submission that begins anew is to be sent now (`due`) or waits for its account's turn; empty: not done."""


class Alarm(NamedTuple):
    """A draft of an attempt at a render that was revoked, and of which the vendor called all the same."""

    render_id: str
    attempt: int
    draft: int
    at: float
    """When the vendor last called, in epoch seconds of the ledger's clock."""


class Commands:
    """Steps that are taken from outside the flow. Each is atomic and does nothing where it does not apply."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._keys, self._run = ledger, ledger.keys, ledger.run

    def cancel(self, render_id: str) -> str:
        """Give a render up; returns the state it is in afterwards, empty for an unknown render.

        Before submission nothing is sent; afterwards it is no longer followed, and only hooks that asked for
        `render.canceled` run.
        """
        return str(self._run("cancel", render_id))

    def retry(self, render_id: str) -> Turn:
        """Start a failed or expired render anew in the same record; empty if it is in another state.

        The attempt that ended is kept in the record's history.
        """
        record = self._ledger.record(render_id)
        if record is None:
            return ""
        history = json.dumps([*record["history"], attempt_summary(record)], separators=(",", ":"))
        turn: Turn = self._run("retry", render_id, record["attempt"], history)
        return turn

    def replay(self, render_id: str, index: int) -> bool:
        """Have a dead-lettered hook tried again, under the same webhook id; False if it is not dead."""
        return bool(self._run("replay", render_id, index))

    def discard(self, render_id: str, index: int) -> bool:
        """Take a hook off the list of dead letters without trying it; False if it was not on it."""
        return bool(self._ledger.redis.zrem(self._keys.dead_letters, f"{render_id}:{index}"))

    def adopt(self, render_id: str, project_id: str) -> tuple[bool, PumpWake | None]:
        """Say which vendor project an unconfirmed render is; it goes on as rendering. False: it is not unconfirmed."""
        done, wake = self._run("adopt", render_id, project_id)
        return bool(done), self._wake(render_id, wake)

    def resubmit(self, render_id: str) -> Turn:
        """Say that an unconfirmed render was never started, so that the paid call is made again; empty: it is not."""
        turn: Turn = self._run("resubmit", render_id)
        return turn

    def give_up(self, render_id: str, *, message: str) -> str:
        """End an unconfirmed render as failed; returns the state it was in, empty for an unknown render.

        In any other state it stays as it is.
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
        """Record a vendor webhook: poll the render now if it may be done; confirm it if it is unconfirmed.

        `attempt` and `draft` are those that the webhook is about (None: whichever). A webhook that tells
        of progress puts the next poll off to `poll_in` seconds from now. For `alive_for` seconds further webhooks
        of the account are relied on.
        Returns the render's state and the pump to wake. The state is empty for an unknown render or another attempt,
        and `REVOKED` for a draft that was given up: then nothing changes but `alarms`.
        """
        fields = ("" if value is None else value for value in (progress, credit, url, project_id, attempt))
        state, wake = self._run("webhook", render_id, *fields, poll_in, alive_for, "" if draft is None else draft)
        return state, self._wake(render_id, wake)

    def pause(self, account: str) -> None:
        """Submit nothing more for this account until it is resumed; what runs at the vendor is followed on."""
        self._ledger.redis.sadd(self._keys.paused, account)

    def resume(self, account: str) -> bool:
        """Let an account go on; False if nothing held it back. The sweep sends what waited.

        It lifts a pause, a wait that the vendor asked for, an open circuit, and a hold.
        """
        return bool(self._run("resume", account))

    def paused(self) -> set[str]:
        """Return the names of the paused accounts."""
        return {str(name) for name in self._ledger.redis.smembers(self._keys.paused)}

    def holds(self) -> dict[str, str]:
        """Return why the vendor refuses to render, by account, for those for which it does."""
        names = [str(name) for name in sorted(self._ledger.redis.smembers(self._keys.accounts))]
        with self._ledger.redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hget(self._keys.hold(name), "reason")
            return {name: str(reason) for name, reason in zip(names, pipe.execute(), strict=True) if reason}

    def open_circuits(self) -> set[str]:
        """Return the accounts whose circuit is open: their vendor does not answer, and one call at a time probes."""
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
        """Return the accounts with renders that wait, in the ledger or at the vendor, which no living worker serves.

        Of one that is served, but without the API that they need, the API is named: `main (v2)`.
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
