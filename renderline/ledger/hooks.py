"""The steps of a hook: claim it, renew or release the claim, record its outcome, and take the hooks to send next."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from renderline.ledger.claims import HookClaim
from renderline.ledger.labels import load_labels
from renderline.ledger.parsing import fields_of
from renderline.ledger.record import load_history, load_meta, public_record
from renderline.ledger.steps import Steps

# Other packages add kinds of hooks: their outcome fields must not overwrite the ledger's own in the record.
_OUTCOME_FIELDS = ("stored_url", "stored_outputs")


class WaitingHooks(NamedTuple):
    """What a process learns about waiting hooks."""

    hooks: tuple[tuple[str, int], ...]
    """The hooks (render id, index) that it is to send."""
    blocked: list[str]
    """Hosts with an open circuit."""
    tenants: bool
    """Whether there have been renders of other tenants than the default one."""


class HookSteps(Steps):
    """The part of the ledger for hooks."""

    def claim_hook(self, render_id: str, index: int, *, lease: float) -> HookClaim:
        """Claim one hook of a finished render for `lease` seconds."""
        status, fence, seconds, following, *rest = self.run("hook_claim", render_id, index, lease)
        claim = HookClaim(status, fence, float(seconds), following=_hooks(following))
        if not rest:
            return claim
        probe, flat, meta, history = rest

        def read() -> HookClaim:
            known = load_meta(meta)
            fields = fields_of(flat)
            record = public_record(render_id, fields, known, load_history(history))
            labels = load_labels(fields.get("labels"))
            return replace(claim, record=record, hook=known["hooks"][index], labels=labels, probe=bool(probe))

        return self.readable(render_id, "", read) or replace(claim, status="over")

    def record_hook(
        self,
        render_id: str,
        index: int,
        claim: HookClaim,
        *,
        outcome: str,
        retry_in: float = 0.0,
        error: str = "",
        fields: Mapping[str, Any] | None = None,
        dispose: bool = False,
        host: str = "",
        busy: Sequence[str] = (),
        wish: float = 0.0,
        forward: bool = False,
        following: Callable[[Sequence[tuple[str, int]]], object] | None = None,
    ) -> str:
        """Record one delivery of a hook (delivered, dead, skipped, retrying); returns the render's state.

        `fields` are outcome fields for the record; of those of a hook, only `stored_url` and `stored_outputs` are kept
        (JSON: URLs by the number of the output). `host` is where it went. `wish`: for how many seconds the endpoint
        asked not to be called; `forward`: the retry may come earlier if the host answers after an outage. `dispose`:
        the vendor project is deleted once the video is stored and all hooks are delivered. `following` receives the
        hooks (render id, index) to send now: those that waited for this one or for its place, but none of the tenants
        that are `busy` in this process.
        """
        kept = {name: str(fields[name]) for name in _OUTCOME_FIELDS if fields and fields.get(name)}
        extra = json.dumps(kept, ensure_ascii=False)
        details = (outcome, retry_in, error, extra, int(dispose), host, ",".join(busy), wish, int(forward))
        _, state, next_ones = self.run("hook_record", render_id, index, claim.fence, *details)
        if following and next_ones:
            following(_hooks(next_ones))
        return state

    def defer_hook(
        self, render_id: str, index: int, claim: HookClaim, *, host: str, busy: Sequence[str] = ()
    ) -> tuple[tuple[str, int], ...]:
        """Release a hook that was not called: it waits for `host`, or (empty) for any worker with a free thread.

        `busy` are the tenants that may begin no further hook in this process, if that is the reason. Returns the hooks
        (render id, index) to send instead.
        """
        return _hooks(self.run("hook_defer", render_id, index, claim.fence, host, ",".join(busy)))

    def queue_hooks(self, ids: Sequence[str]) -> tuple[tuple[str, int], ...]:
        """Return the hooks (render id, index) of finished renders to be sent now; the others wait for their turn."""
        return _hooks(self.run("hook_queue", json.dumps(list(ids)))) if ids else ()

    def take_hooks(self, most: int, *, busy: Sequence[str] = ()) -> WaitingHooks:
        """Take up to `most` waiting hooks, to be sent; none of the tenants that are `busy` in this process."""
        following, blocked, others = self.run("hook_take", most, ",".join(busy))
        return WaitingHooks(_hooks(following), list(blocked), bool(others))

    def update_download_url(self, render_id: str, *, attempt: int, url: str) -> bool:
        """Record a new download URL; False if the record is gone or has another attempt."""
        return bool(self.run("download_url", render_id, attempt, url))

    def renew_hook(self, render_id: str, index: int, claim: HookClaim, *, lease: float) -> bool:
        """Keep the claim on a hook for another `lease` seconds; False if it was lost."""
        return bool(self.run("hook_renew", render_id, index, claim.fence, lease))

    def release_hook(self, render_id: str, index: int, claim: HookClaim, *, retry_in: float, note: str) -> float | None:
        """Release a hook of a kind unknown here; returns for how long no worker knew it, None if the claim was lost."""
        since = self.run("hook_release", render_id, index, claim.fence, retry_in, note)
        return float(since) if since else None


def _hooks(answer: Sequence[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(one), int(index)) for one, index in answer)
