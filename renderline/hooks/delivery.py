"""Delivers the hooks of a finished render: each is claimed, checked against the limits, called, and recorded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import structlog

from renderline.capabilities import WorkerCapabilities
from renderline.capabilities import hook as hook_kind
from renderline.dispatcher import Dispatcher
from renderline.hooks import Delivery, HookFailed, HookKind, endpoint_of, host_of, missing_part
from renderline.hooks.concurrency import HookConcurrency
from renderline.hooks.outcome import Done, NotMyTurn, Outcome
from renderline.hooks.renewal import ClaimRenewal
from renderline.kinds import KINDS
from renderline.ledger import UNKNOWN_AFTER, HookClaim, Ledger, log_labels, subject
from renderline.observer import OK, HookAttempt, calls_for
from renderline.renders import EVENTS, State, webhook_id
from renderline.retry import MAX_RETRY_AFTER, HookRetryPolicy, RetryIn
from renderline.tenants import DEFAULT

log = structlog.get_logger(__name__)


_OTHER_WORKER_IN, _NO_WORKER_IN = 2.0, 60.0
"""Seconds until a hook of an unknown type is retried: if other workers know the type, and if none does."""

_WHY_UNCLAIMED = {
    "early": "its turn comes later",
    "busy": "another worker runs it",
    "newer": "a newer version wrote its record, and its workers run it",
}
_WHY_DEFERRED = {
    "full": "all threads for hooks are taken here",
    "busy": "all threads for hooks of its tenant are taken here",
    "blocked": "its host takes no more calls now",
}


@dataclass(frozen=True)
class _Claimed:
    """One claimed hook, and what its call needs."""

    render_id: str
    index: int
    claim: HookClaim
    kind: HookKind
    spec: dict[str, Any]
    delivery: Delivery
    host: str
    retries: HookRetryPolicy

    @property
    def attempt(self) -> int:
        """The number of this call, from 1."""
        return int(self.delivery.record["hooks"][self.index]["attempts"])


def _tenant(record: Mapping[str, Any]) -> str:
    return str(record.get("tenant") or DEFAULT)


def _host(kind: HookKind, spec: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Return the host that a hook calls, for limits and circuit: another tenant's calls there are counted apart."""
    host, tenant = host_of(kind, spec, record), _tenant(record)
    return f"{tenant}/{host}" if host and tenant != DEFAULT else host


@dataclass(frozen=True)
class Deliverer:
    """Runs hooks. A claim lasts `lease` seconds and is renewed as long as the hook runs in this process.

    `concurrency` limits what may run here.
    """

    ledger: Ledger
    dispatcher: Dispatcher
    kinds: Mapping[str, HookKind]
    retries: HookRetryPolicy
    lease: float
    concurrency: HookConcurrency | None = None
    clock: Callable[[], float] = time.time
    """Returns the time for the timestamp of a delivery."""
    delete_stored: bool = False
    """Whether the vendor's copy is deleted once the video is stored and all hooks are delivered."""
    capabilities: WorkerCapabilities | None = None
    """Returns whether other workers know a hook type that is not among `kinds`."""
    unknown_after: float = UNKNOWN_AFTER

    def deliver(self, render_id: str, index: int) -> Outcome:
        """Run one hook if it is its turn; safe to call at any time, any number of times."""
        claim = self.ledger.claim_hook(render_id, index, lease=self.lease)
        self.dispatcher.hook_messages(claim.following)
        if claim.status in ("done", "over"):
            return Done()
        record, spec = claim.record, claim.hook
        if record is None or spec is None:
            return NotMyTurn(_WHY_UNCLAIMED.get(claim.status, ""))
        subject.note(record["name"], record["metadata"])
        structlog.contextvars.bind_contextvars(**log_labels(_tenant(record), record.get("request_id"), claim.labels))
        event = EVENTS[State(record["state"])]
        kind = self.kinds.get(spec["type"])
        if kind is None:
            return self._unknown_here(render_id, index, claim, spec["type"])
        if missing := missing_part(kind, spec, record):
            return self._unknown_here(render_id, index, claim, missing)
        if not kind.wants(event, spec):
            self._settle(render_id, index, claim, outcome="skipped", dispose=self._deletes_project(record))
            return Done("skipped")
        delivery = Delivery(event, webhook_id(render_id, record["attempt"], index), self.clock(), record)
        retries = self.retries.of_hook(spec)
        hook = _Claimed(render_id, index, claim, kind, spec, delivery, _host(kind, spec, record), retries)
        return self._run_within_limits(hook, self.concurrency) if self.concurrency else self._call(hook)

    def _run_within_limits(self, hook: _Claimed, concurrency: HookConcurrency) -> Outcome:
        how = {"probe": hook.claim.probe, "large": hook.spec["type"] == "download"}
        tenant = _tenant(hook.delivery.record)
        answer = concurrency.acquire(hook.host, tenant=tenant, **how)
        if answer == "acquired":
            try:
                return self._call(hook)
            finally:
                concurrency.release(hook.host, tenant=tenant, **how)
        if answer == "blocked" and hook.retries.over(hook.claim.seconds):
            why = f"{hook.host} could not be reached until the last retry was due"
            return self._dead_letter(hook.render_id, hook.index, hook.claim, why)
        # Not called, so that no thread waits for it. It is sent again when a thread is free.
        host, busy = hook.host if answer == "blocked" else "", concurrency.busy if answer == "busy" else ()
        following = self.ledger.defer_hook(hook.render_id, hook.index, hook.claim, host=host, busy=busy)
        self.dispatcher.hook_messages(following)
        return NotMyTurn(_WHY_DEFERRED[answer])

    def _call(self, hook: _Claimed) -> Outcome:
        render_id, index, claim, kind = hook.render_id, hook.index, hook.claim, hook.kind
        delivery = replace(hook.delivery, seconds=self._call_time(hook))
        began = time.monotonic()
        try:
            # Some ask the vendor for a new link.
            about = calls_for(render_id, delivery.record["attempt"])
            with self.renewal.renewed(render_id, index, claim), about:
                fields = dict(kind.deliver(hook.spec, delivery) or {})
        except HookFailed as failure:
            self._note_answer(hook, answered=not failure.unreachable, seconds=time.monotonic() - began)
            return self._failed(hook, failure, began)
        except Exception as error:
            log.exception("hook raised", render_id=render_id, hook=index, type=kind.type)
            self._note_answer(hook, answered=True, seconds=time.monotonic() - began)
            raised = HookFailed(f"{type(error).__name__} in the {kind.type} hook; see the worker's log")
            return self._failed(hook, raised, began)
        self._note_answer(hook, answered=True, seconds=time.monotonic() - began)
        self._observe(hook, began, outcome="delivered", status=fields.pop("status", None))
        dispose = self._deletes_project(hook.delivery.record)
        recorded = {"fields": fields, "dispose": dispose, "host": hook.host}
        state = self._settle(render_id, index, claim, outcome="delivered", **recorded)
        log.info("hook delivered", render_id=render_id, hook=index, type=kind.type, state=state)
        return Done("delivered")

    def _failed(self, hook: _Claimed, failure: HookFailed, began: float) -> Outcome:
        render_id, index, claim = hook.render_id, hook.index, hook.claim
        wait = hook.retries.retry_in(
            hook.attempt, age=claim.seconds, jitter=random.random(), retry_after=failure.retry_after
        )
        dead = failure.permanent or wait is None
        self._observe(
            hook, began, outcome="dead" if dead else "retrying", status=failure.status, result=str(failure) or "failed"
        )
        if failure.permanent or wait is None:
            recorded = {"host": hook.host, "fields": failure.fields}
            return self._dead_letter(render_id, index, claim, str(failure), reason=failure.reason, **recorded)
        about = {"render_id": render_id, "hook": index, "attempt": hook.attempt}
        # Of an outage one warning is enough.
        tell = log.info if failure.logged else log.warning
        tell("hook failed", **about, retry_in=wait, why=failure.reason)
        how = {"retry_in": wait, "error": str(failure), "host": hook.host, "fields": failure.fields}
        how["wish"] = min(failure.retry_after or 0.0, MAX_RETRY_AFTER)
        # The last call of a hook is kept for its own time.
        how["forward"] = not hook.retries.last(hook.attempt + 1, age=claim.seconds)
        self._settle(render_id, index, claim, outcome="retrying", **how)
        return RetryIn(wait, str(failure))

    def _observe(self, hook: _Claimed, began: float, *, outcome: str, status: object = None, result: str = OK) -> None:
        record = hook.delivery.record
        attempt = HookAttempt(
            render_id=hook.render_id,
            attempt=record["attempt"],
            index=hook.index,
            type=hook.kind.type,
            host=host_of(hook.kind, hook.spec, record),
            endpoint=endpoint_of(hook.kind, hook.spec, record),
            number=hook.attempt,
            status=status if isinstance(status, int) else None,
            outcome=outcome,
            seconds=time.monotonic() - began,
            began=began,
            result=result,
            lag=hook.claim.seconds,
        )
        self.ledger.observer.hook(attempt)

    def _dead_letter(
        self, render_id: str, index: int, claim: HookClaim, why: str, *, reason: str | None = None, **recorded: Any
    ) -> Outcome:
        log.error("hook dead-lettered", render_id=render_id, hook=index, why=reason or why)
        # The other hooks still run: an HTTP hook reports that the download failed.
        self._settle(render_id, index, claim, outcome="dead", error=why, **recorded)
        return Done("dead-lettered", reason or why)

    def _deletes_project(self, record: Mapping[str, Any]) -> bool:
        return self.delete_stored and KINDS[record["kind"]].owns_project

    def _unknown_here(self, render_id: str, index: int, claim: HookClaim, kind: str) -> Outcome:
        """Release a hook to workers that know its type or target; dead-letter it if none has known it for long."""
        elsewhere = self.capabilities is not None and self.capabilities.elsewhere(hook_kind(kind))
        wait = _OTHER_WORKER_IN if elsewhere else _NO_WORKER_IN
        part = "hook target" if ":" in kind else "hook type"
        why = f"{part} {kind!r} is not installed in this worker; waits for a worker that has it"
        since = self.ledger.release_hook(render_id, index, claim, retry_in=wait, note=why)
        if since is None:
            return NotMyTurn("another worker has it")
        if since > self.unknown_after and not elsewhere:
            why = f"{part} {kind!r} was not installed in any worker for {since:.0f} s"
            return self._dead_letter(render_id, index, claim, why)
        return RetryIn(wait, why)

    def _settle(self, render_id: str, index: int, claim: HookClaim, **how: Any) -> str:
        if self.concurrency and claim.record:
            # This hook's place is free in a moment, for its own tenant too.
            own = _tenant(claim.record)
            how["busy"] = [tenant for tenant in self.concurrency.busy if tenant != own]
        return self.ledger.record_hook(render_id, index, claim, following=self.dispatcher.hook_messages, **how)

    def _note_answer(self, hook: _Claimed, *, answered: bool, seconds: float) -> None:
        if self.concurrency:
            self.concurrency.note_answer(hook.host, answered=answered, seconds=seconds)

    def _call_time(self, hook: _Claimed) -> float | None:
        # The last call of a hook gets the whole time: no hook is given up because of our impatience.
        if self.concurrency is None or hook.retries.last(hook.attempt, age=hook.claim.seconds):
            return None
        return self.concurrency.call_time(hook.host)

    def send_waiting(self) -> None:
        """Send waiting hooks for the threads that are free here; called every second."""
        if self.concurrency:
            waiting = self.ledger.take_hooks(self.concurrency.free, busy=self.concurrency.busy)
            if waiting.tenants:
                self.concurrency.divide()
            self.concurrency.block(waiting.blocked)
            self.dispatcher.hook_messages(waiting.hooks)

    @cached_property
    def renewal(self) -> ClaimRenewal:
        """The claims of the hooks that run in this process."""
        return ClaimRenewal(self.ledger, self.lease)
