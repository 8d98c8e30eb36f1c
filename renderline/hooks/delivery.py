"""Delivering what a finished render owes: each hook claimed, given a place, tried, and its outcome recorded."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis import RedisError

from renderline.capabilities import WorkerCapabilities
from renderline.capabilities import hook as hook_kind
from renderline.hooks import Delivery, HookFailed, HookKind, host_of
from renderline.hooks.concurrency import HookConcurrency
from renderline.hooks.retry import HookRetryPolicy
from renderline.kinds import KINDS
from renderline.ledger import HookClaim, Ledger
from renderline.ledger.store import UNKNOWN_AFTER
from renderline.renders import EVENTS, State

log = structlog.get_logger(__name__)


_ELSEWHERE_IN, _NOWHERE_IN = 2.0, 60.0
"""Seconds after which a hook that this worker does not know is tried again, where others have its kind or nobody."""


@dataclass(frozen=True)
class Settled:
    """This hook needs no more tries (delivered, skipped, dead-lettered, or settled before)."""


@dataclass(frozen=True)
class TryLater:
    """Failed; to be tried again in `seconds`."""

    seconds: float
    why: str


@dataclass(frozen=True)
class Elsewhere:
    """Another message is on it, it is not its turn, or it has no place: this message ends here."""


Result = Settled | TryLater | Elsewhere


def webhook_id(render_id: str, attempt: int, index: int) -> str:
    """Return the id of a hook's event: the same on every try and every replay."""
    return f"msg_{render_id}_{attempt}_{index}"


@dataclass(frozen=True)
class _Turn:
    """One claimed hook, on its way."""

    render_id: str
    index: int
    claim: HookClaim
    kind: HookKind
    spec: dict[str, Any]
    delivery: Delivery
    host: str


@dataclass(frozen=True)
class Deliverer:
    """Runs hooks. A claim lasts `lease` seconds and is renewed as long as the hook runs in this process.

    `places` says which may run here; `following` sends the hooks (render id, index) whose turn has come.
    """

    ledger: Ledger
    kinds: Mapping[str, HookKind]
    retries: HookRetryPolicy
    lease: float
    places: HookConcurrency | None = None
    following: Callable[[Sequence[tuple[str, int]]], object] | None = None
    clock: Callable[[], float] = time.time
    """Dates what is sent."""
    delete_stored: bool = False
    """Whether the vendor's copy is deleted once a video is stored and everything delivered."""
    capabilities: WorkerCapabilities | None = None
    """Tells whether other workers have a kind of hooks that is not among `kinds`."""
    unknown_after: float = UNKNOWN_AFTER
    _running: dict[tuple[str, int], HookClaim] = field(default_factory=dict, repr=False)
    _renewing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def deliver(self, render_id: str, index: int) -> Result:
        """Try one hook if it is its turn; safe to call at any time, any number of times."""
        claim = self.ledger.claim_hook(render_id, index, lease=self.lease)
        self._send(claim.following)
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
            self._settle(render_id, index, claim, outcome="skipped", dispose=self._disposes(record))
            return Settled()
        delivery = Delivery(event, webhook_id(render_id, record["attempt"], index), self.clock(), record)
        turn = _Turn(render_id, index, claim, kind, spec, delivery, host_of(kind, spec, record))
        return self._in_its_place(turn) if self.places else self._try(turn)

    def _in_its_place(self, turn: _Turn) -> Result:
        assert self.places is not None
        how = {"probe": turn.claim.probe, "large": turn.spec["type"] == "download"}
        place = self.places.take(turn.host, **how)
        if place == "taken":
            try:
                return self._try(turn)
            finally:
                self.places.give_back(turn.host, **how)
        if place == "barred" and self.retries.over(turn.claim.seconds):
            return self._dead(turn.render_id, turn.index, turn.claim, f"{turn.host} was away until the last try")
        # Not tried, so that no thread waits for it: it is sent again when there is a place.
        host = turn.host if place == "barred" else ""
        self._send(self.ledger.put_off_hook(turn.render_id, turn.index, turn.claim, host=host))
        return Elsewhere()

    def _try(self, turn: _Turn) -> Result:
        render_id, index, claim, kind = turn.render_id, turn.index, turn.claim, turn.kind
        try:
            with self._renewed(render_id, index, claim):
                fields = kind.deliver(turn.spec, turn.delivery)
        except HookFailed as failure:
            return self._failed(turn, failure)
        except Exception as error:
            log.exception("hook raised", render_id=render_id, hook=index, type=kind.type)
            return self._failed(
                turn, HookFailed(f"{type(error).__name__} in the {kind.type} hook; see the worker's log")
            )
        self._saw(turn, answered=True)
        told = {"fields": fields, "dispose": self._disposes(turn.delivery.record), "host": turn.host}
        state = self._settle(render_id, index, claim, outcome="delivered", **told)
        log.info("hook delivered", render_id=render_id, hook=index, type=kind.type, state=state)
        return Settled()

    def _failed(self, turn: _Turn, failure: HookFailed) -> Result:
        self._saw(turn, answered=not failure.unreachable)
        render_id, index, claim = turn.render_id, turn.index, turn.claim
        attempt = turn.delivery.record["hooks"][index]["attempts"]
        wait = self.retries.retry_in(
            attempt, age=claim.seconds, jitter=random.random(), retry_after=failure.retry_after
        )
        if failure.permanent or wait is None:
            return self._dead(render_id, index, claim, str(failure), host=turn.host)
        why = str(failure)
        log.warning("hook failed", render_id=render_id, hook=index, attempt=attempt, retry_in=wait, why=why)
        self._settle(render_id, index, claim, outcome="retrying", retry_in=wait, error=why, host=turn.host)
        return TryLater(wait, why)

    def _dead(self, render_id: str, index: int, claim: HookClaim, why: str, *, host: str = "") -> Result:
        log.error("hook dead-lettered", render_id=render_id, hook=index, why=why)
        # The others go on: a broken download must not silence the announcement, whose record tells of it.
        self._settle(render_id, index, claim, outcome="dead", error=why, host=host)
        return Settled()

    def _disposes(self, record: Mapping[str, Any]) -> bool:
        return self.delete_stored and KINDS[record["kind"]].owns_project

    def _not_here(self, render_id: str, index: int, claim: HookClaim, kind: str) -> Result:
        """Leave a hook to the workers that have its kind; it is given up if none has for long."""
        wait = _ELSEWHERE_IN if self.capabilities and self.capabilities.elsewhere(hook_kind(kind)) else _NOWHERE_IN
        why = f"hook type {kind!r} is not installed in the worker that took it; waits for one that has it"
        since = self.ledger.leave_hook(render_id, index, claim, retry_in=wait, note=why)
        if since is None:
            return Elsewhere()
        if since > self.unknown_after and wait == _NOWHERE_IN:
            return self._dead(
                render_id, index, claim, f"hook type {kind!r} was installed in no worker for {since:.0f} s"
            )
        return TryLater(wait, why)

    def _settle(self, render_id: str, index: int, claim: HookClaim, **how: Any) -> str:
        return self.ledger.settle_hook(render_id, index, claim, following=self._send, **how)

    def _saw(self, turn: _Turn, *, answered: bool) -> None:
        if self.places:
            self.places.saw(turn.host, answered=answered)

    def _send(self, hooks: Sequence[tuple[str, int]]) -> None:
        if self.following is None or not hooks:
            return
        try:
            self.following(hooks)
        except (OSError, RedisError) as error:
            log.warning("hooks not announced, left to the sweep", hooks=len(hooks), why=str(error))

    def call_up(self) -> None:
        """Send waiting hooks for the places that are free here; called every second."""
        if self.places:
            waiting, barred = self.ledger.next_hooks(self.places.free)
            self.places.bar(barred)
            self._send(waiting)

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
