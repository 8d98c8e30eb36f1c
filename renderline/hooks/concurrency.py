"""Which hooks may run in this process: a share of its threads, and a limit and a circuit breaker for each host.

An endpoint that hangs holds a few threads, while submissions, polls and the hooks of other hosts go on. All workers
share the circuit through the ledger. This process caches its state, so that a check costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

import structlog

from renderline.bulkhead import Bulkhead
from renderline.ledger import AccountLimits

log = structlog.get_logger(__name__)

FAILURES = 5
"""Unanswered calls in a row that open the circuit of a host."""
PAUSE = 20.0
"""Seconds between probes while it is open."""
_BLOCKED_FOR = 3.0
"""Seconds for which a host stays blocked here after the ledger reported it; the report is repeated every second."""
_PATIENCE = 0.1
"""Seconds that a hook waits for another hook of its host to end."""


class HookConcurrency:
    """Limits the hooks that run at once: `share` in all, `each` of them for one host."""

    def __init__(self, limits: AccountLimits, *, share: int = 8, each: int | None = None, pause: float = PAUSE) -> None:
        self._limits, self._pause, self._each = limits, pause, each
        self._blocked: dict[str, float] = {}
        self._failing: set[str] = set()
        self._all, self._hosts, self._files = (Bulkhead(strict=True) for _ in range(3))
        self.resize(share)

    def resize(self, share: int) -> None:
        """Set how many hooks may run at once."""
        self.share = share
        self._all.resize(each=share, most=share)
        self._hosts.resize(each=self._each or max(1, share // 4), most=share)
        self._files.resize(each=self._each or max(1, share // 2), most=share)

    @property
    def free(self) -> int:
        """How many hooks may begin now."""
        return max(0, self.share - self._all.acquired)

    def acquire(self, host: str, *, probe: bool, large: bool) -> Literal["acquired", "full", "blocked"]:
        """Let a hook call `host` (empty: no host in particular).

        `full`: this worker runs as many hooks as it may. `blocked`: the host has as many calls as it may, or its
        circuit is open. A host that serves files (`large`) may have more calls.
        """
        if host and not probe and self._blocked.get(host, 0.0) > time.monotonic():
            return "blocked"
        if not self._all.acquire("", patience=0.0):
            return "full"
        if host and not probe and not self._of(large).acquire(host, patience=_PATIENCE):
            self._all.release("")
            return "blocked"
        return "acquired"

    def release(self, host: str, *, probe: bool, large: bool) -> None:
        """Record that a call has ended."""
        if host and not probe:
            self._of(large).release(host)
        self._all.release("")

    def note_answer(self, host: str, *, answered: bool) -> None:
        """Report to the circuit breaker of a host whether it answered."""
        if not host:
            return
        if not answered:
            self._failing.add(host)
            circuit = self._limits.call_failed(f"hook {host}", failures=FAILURES, pause=self._pause)
            if circuit.changed:
                log.error("circuit of a hook endpoint opened", host=host, probe_in=self._pause)
            if circuit.open:
                self.block([host])
        elif host in self._failing or host in self._blocked:
            circuit = self._limits.call_answered(f"hook {host}")
            if not circuit.open:
                self._failing.discard(host)
                self._blocked.pop(host, None)
            if circuit.changed:
                log.info("circuit of a hook endpoint closed", host=host)

    def block(self, hosts: Iterable[str]) -> None:
        """Call these hosts only to probe them, for a few seconds."""
        now = time.monotonic()
        kept = {host: until for host, until in self._blocked.items() if until > now}
        self._blocked = {**kept, **dict.fromkeys(hosts, now + _BLOCKED_FOR)}

    def _of(self, large: bool) -> Bulkhead:
        return self._files if large else self._hosts
