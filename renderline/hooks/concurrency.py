"""Which hooks may run in this process: a share of its threads, and a limit and a circuit breaker for each host.

An endpoint that hangs holds a few threads, while submissions, polls and the hooks of other hosts go on. However many
hang, the tenant that named them leaves places to the others. All workers share the circuit through the ledger. This
process caches its state, so that a check costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

import structlog

from renderline.bulkhead import Bulkhead
from renderline.hooks.tenant_share import TenantShare
from renderline.ledger import AccountLimits
from renderline.retry import time_for_call
from renderline.tenants import DEFAULT

log = structlog.get_logger(__name__)

FAILURES = 5
"""Unanswered calls in a row that open the circuit of a host."""
PAUSE = 20.0
"""Seconds between probes while it is open."""
_BLOCKED_FOR = 3.0
"""Seconds for which a host stays blocked here after the ledger reported it; the report is repeated every second."""
_PATIENCE = 0.1
"""Seconds that a hook waits for another hook of its host to end."""
_CALL_TIME = 15.0
"""The most seconds that a call may take."""
_SLOW = 0.5
"""Seconds above which the time of an answer is remembered."""
_REMEMBERED = 1000
"""Of how many slow hosts that is."""


class HookConcurrency:
    """Limits the hooks that run at once: `share` in all, `each` of them for one host."""

    def __init__(
        self,
        limits: AccountLimits,
        *,
        share: int = 8,
        each: int | None = None,
        pause: float = PAUSE,
        call_time: float = _CALL_TIME,
        alone: bool = True,
    ) -> None:
        """`alone`: there is only one tenant, which may have all places."""
        self._limits, self._pause, self._each, self._call_time = limits, pause, each, call_time
        self._blocked: dict[str, float] = {}
        self._failing: dict[str, int] = {}
        self._slowest: dict[str, float] = {}
        self._tenants = TenantShare(share, alone=alone)
        self._hosts, self._files = (Bulkhead(strict=True) for _ in range(2))
        self.resize(share)

    def resize(self, share: int) -> None:
        """Set how many hooks may run at once."""
        self.share = share
        self._tenants.places = share
        self._hosts.resize(each=self._each or max(1, share // 4), most=share)
        self._files.resize(each=self._each or max(1, share // 2), most=share)

    @property
    def free(self) -> int:
        """How many hooks may begin now."""
        return self._tenants.free

    @property
    def busy(self) -> list[str]:
        """The tenants of which no further hook may begin now."""
        return self._tenants.busy

    def divide(self) -> None:
        """From now on no tenant may have all places: there is more than one."""
        self._tenants.alone = False

    def acquire(
        self, host: str, *, probe: bool, large: bool, tenant: str = DEFAULT
    ) -> Literal["acquired", "full", "busy", "blocked"]:
        """Let a hook call `host` (empty: no host in particular).

        `full`: this worker runs as many hooks as it may; `busy`: as many of this tenant. `blocked`: the host has as
        many calls as it may, or its circuit is open. A host that serves files (`large`) may have more calls.
        """
        if host and not probe and self._blocked.get(host, 0.0) > time.monotonic():
            return "blocked"
        answer = self._tenants.acquire(tenant)
        if answer == "acquired" and host and not probe and not self._of(large).acquire(host, patience=_PATIENCE):
            self._tenants.release(tenant)
            return "blocked"
        return answer

    def release(self, host: str, *, probe: bool, large: bool, tenant: str = DEFAULT) -> None:
        """Record that a call has ended."""
        if host and not probe:
            self._of(large).release(host)
        self._tenants.release(tenant)

    def call_time(self, host: str) -> float:
        """Return the seconds that the next call to a host may take."""
        slowest = self._slowest.get(host, 0.0)
        return time_for_call(self._failing.get(host, 0), whole=self._call_time, slowest=slowest)

    def note_answer(self, host: str, *, answered: bool, seconds: float = 0.0) -> None:
        """Report to the circuit breaker of a host whether it answered, and within how many seconds."""
        if not host:
            return
        if answered:
            self._note_time(host, seconds)
        if not answered:
            circuit = self._limits.call_failed(f"hook {host}", failures=FAILURES, pause=self._pause)
            self._failing[host] = circuit.failures
            if circuit.changed:
                log.error("circuit of a hook endpoint opened", host=host, probe_in=self._pause)
            if circuit.open:
                self.block([host])
        elif host in self._failing or host in self._blocked:
            circuit = self._limits.call_answered(f"hook {host}")
            if not circuit.open:
                self._failing.pop(host, None)
                self._blocked.pop(host, None)
            if circuit.changed:
                log.info("circuit of a hook endpoint closed", host=host)

    def block(self, hosts: Iterable[str]) -> None:
        """Call these hosts only to probe them, for a few seconds."""
        now = time.monotonic()
        kept = {host: until for host, until in self._blocked.items() if until > now}
        self._blocked = {**kept, **dict.fromkeys(hosts, now + _BLOCKED_FOR)}

    def _note_time(self, host: str, seconds: float) -> None:
        # Forgotten slowly: the next answer may take as long again.
        slowest = max(seconds, 0.9 * self._slowest.pop(host, 0.0))
        if slowest > _SLOW:
            self._slowest[host] = slowest
            if len(self._slowest) > _REMEMBERED:
                self._slowest.pop(next(iter(self._slowest)), None)

    def _of(self, large: bool) -> Bulkhead:
        return self._files if large else self._hosts
