"""Delivering what a finished render owes: each hook in turn, claimed, tried, and its outcome recorded."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from renderline.hooks import Delivery, HookFailed, HookKind
from renderline.kinds import KINDS
from renderline.ledger import HookClaim, Ledger
from renderline.ledger.store import UNKNOWN_AFTER
from renderline.renders import EVENTS, State
from renderline.roster import Roster
from renderline.roster import hook as hook_kind
from renderline.schedule import RetryPolicy

log = structlog.get_logger(__name__)


_ELSEWHERE_IN, _NOWHERE_IN = 2.0, 60.0
"""Seconds after which a hook that this worker does not know is tried again, where others have its kind or nobody."""


@dataclass(frozen=True)
class Settled:
    """This hook needs no more tries (delivered, skipped, dead-lettered, or settled before): the chain goes on."""


@dataclass(frozen=True)
class TryLater:
    """Failed; to be tried again in `seconds`."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Elsewhere:
    """Another message is on it, or it is not its turn: this copy of the chain ends here."""


Result = Settled | TryLater | Elsewhere


def webhook_id(render_id: str, attempt: int, index: int) -> str:
    """Return the id of a hook's event: the same on every try and every replay."""
    return f"msg_{render_id}_{attempt}_{index}"


@dataclass(frozen=True)
class Deliverer:
    """Runs hooks. A claim lasts `lease` seconds and is renewed as long as the hook runs in this process."""

    ledger: Ledger
    kinds: Mapping[str, HookKind]
    retries: RetryPolicy
    lease: float
    clock: Callable[[], float] = time.time
    """Dates what is sent."""
    delete_stored: bool = False
    """Whether the vendor's copy is deleted once a video is stored and everything delivered."""
    roster: Roster | None = None
    """Tells whether other workers have a kind of hooks that is not among `kinds`."""
    unknown_after: float = UNKNOWN_AFTER
    _running: dict[tuple[str, int], HookClaim] = field(default_factory=dict, repr=False)
    _renewing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def deliver(self, render_id: str, index: int) -> Result:
        """Try one hook if it is its turn; safe to call at any time, any number of times."""
        claim = self.ledger.claim_hook(render_id, index, lease=self.lease)
        if claim.verdict in ("done", "over"):
            return Settled()
        record, spec = claim.record, claim.hook
        if record is None or spec is None:
            return Elsewhere()
        event = EVENTS[State(record["state"])]
        kind = self.kinds.get(spec["type"])
        if kind is None:
            return self._not_here(render_id, index, claim, spec["type"])
        if not kind.wants(event, spec):
            dispose = self._disposes(record)
            self.ledger.settle_hook(render_id, index, claim, outcome="skipped", dispose=dispose)
            return Settled()
        delivery = Delivery(event, webhook_id(render_id, record["attempt"], index), self.clock(), record)
        return self._try(kind, spec, delivery, render_id, index, claim)

    def _try(
        self, kind: HookKind, spec: dict[str, Any], delivery: Delivery, render_id: str, index: int, claim: HookClaim
    ) -> Result:
        try:
            with self._renewed(render_id, index, claim):
                fields = kind.deliver(spec, delivery)
        except HookFailed as failure:
            return self._failed(render_id, index, claim, delivery, failure)
        except Exception as error:
            log.exception("hook raised", render_id=render_id, hook=index, type=kind.type)
            raised = HookFailed(f"{type(error).__name__} in the {kind.type} hook; see the worker's log")
            return self._failed(render_id, index, claim, delivery, raised)
        dispose = self._disposes(delivery.record)
        state = self.ledger.settle_hook(render_id, index, claim, outcome="delivered", fields=fields, dispose=dispose)
        log.info("hook delivered", render_id=render_id, hook=index, type=kind.type, state=state)
        return Settled()

    def _failed(self, render_id: str, index: int, claim: HookClaim, delivery: Delivery, failure: HookFailed) -> Result:
        attempt = delivery.record["hooks"][index]["attempts"]
        wait = self.retries.retry_in(attempt, jitter=random.random(), retry_after=failure.retry_after)
        if failure.permanent or wait is None:
            return self._dead(render_id, index, claim, str(failure))
        log.warning("hook failed", render_id=render_id, hook=index, attempt=attempt, retry_in=wait, why=str(failure))
        self.ledger.settle_hook(render_id, index, claim, outcome="retrying", retry_in=wait, error=str(failure))
        return TryLater(wait, str(failure))

    def _dead(self, render_id: str, index: int, claim: HookClaim, why: str) -> Result:
        log.error("hook dead-lettered", render_id=render_id, hook=index, why=why)
        self.ledger.settle_hook(render_id, index, claim, outcome="dead", error=why)
        # The chain goes on: a broken download must not silence the announcement, whose record tells of it.
        return Settled()

    def _disposes(self, record: Mapping[str, Any]) -> bool:
        return self.delete_stored and KINDS[record["kind"]].disposable

    def _not_here(self, render_id: str, index: int, claim: HookClaim, kind: str) -> Result:
        """Leave a hook to the workers that have its kind; it is given up if none has for long."""
        wait = _ELSEWHERE_IN if self.roster and self.roster.elsewhere(hook_kind(kind)) else _NOWHERE_IN
        why = f"hook type {kind!r} is not installed in the worker that took it; waits for one that has it"
        since = self.ledger.leave_hook(render_id, index, claim, retry_in=wait, note=why)
        if since is None:
            return Elsewhere()
        if since > self.unknown_after and wait == _NOWHERE_IN:
            return self._dead(
                render_id, index, claim, f"hook type {kind!r} was installed in no worker for {since:.0f} s"
            )
        return TryLater(wait, why)

    def _renewed(self, render_id: str, index: int, claim: HookClaim) -> _Renewal:
        return _Renewal(self, render_id, index, claim)

    def renew_all(self) -> None:
        """Keep the claims of all hooks that run in this process; called every third of a lease."""
        with self._renewing:
            running = dict(self._running)
        for (render_id, index), claim in running.items():
            self.ledger.renew_hook(render_id, index, claim, lease=self.lease)


class _Renewal:
    """While entered, the hook is among those whose claims are renewed."""

    def __init__(self, deliverer: Deliverer, render_id: str, index: int, claim: HookClaim) -> None:
        self._deliverer, self._key, self._claim = deliverer, (render_id, index), claim

    def __enter__(self) -> None:
        with self._deliverer._renewing:
            self._deliverer._running[self._key] = self._claim

    def __exit__(self, *_: object) -> None:
        with self._deliverer._renewing:
            self._deliverer._running.pop(self._key, None)
