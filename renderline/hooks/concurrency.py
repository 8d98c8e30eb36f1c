"""Which hooks may run in this process: a share of its threads, and a cap and a circuit breaker for each endpoint host.

So an endpoint that hangs holds a few threads, and submissions, polls and the hooks of other hosts go on. The circuit is
shared by all workers through the ledger; here is kept what this process knows of it, so that asking costs nothing.
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
"""Calls in a row that nobody answered which open the circuit of a host."""
PAUSE = 20.0
"""Seconds between probes while it is open."""
_KNOWN_FOR = 3.0
"""Seconds for which a host that was said to be barred is taken to be; it is said again every second."""
_PATIENCE = 0.1
"""Seconds that a hook waits for a place at a host whose hooks come and go quickly."""


class HookConcurrency:
    """Gives out places for hooks. `share` is how many may run at once, `each` how many of them for one host."""

    def __init__(self, flow: AccountLimits, *, share: int = 8, each: int | None = None, pause: float = PAUSE) -> None:
        self._flow, self._pause, self._each = flow, pause, each
        self._barred: dict[str, float] = {}
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
        return max(0, self.share - self._all.taken)

    def take(self, host: str, *, probe: bool, large: bool) -> Literal["taken", "full", "barred"]:
        """Take a place for a call to `host` (empty: none in particular).

        `full`: this worker has no place for any hook; `barred`: none for this host, or it is not to be called. A host
        from which files are fetched (`large`) may have more places.
        """
        if host and not probe and self._barred.get(host, 0.0) > time.monotonic():
            return "barred"
        if not self._all.take("", patience=0.0):
            return "full"
        if host and not probe and not self._of(large).take(host, patience=_PATIENCE):
            self._all.give_back("")
            return "barred"
        return "taken"

    def give_back(self, host: str, *, probe: bool, large: bool) -> None:
        """Give a place back."""
        if host and not probe:
            self._of(large).give_back(host)
        self._all.give_back("")

    def saw(self, host: str, *, answered: bool) -> None:
        """Take note of whether a host answered, for its circuit breaker."""
        if not host:
            return
        if not answered:
            self._failing.add(host)
            circuit = self._flow.call_failed(f"hook {host}", failures=FAILURES, pause=self._pause)
            if circuit.changed:
                log.error("the hooks' endpoint is away", host=host, probe_in=self._pause)
            if circuit.open:
                self.bar([host])
        elif host in self._failing or host in self._barred:
            circuit = self._flow.call_answered(f"hook {host}")
            if not circuit.open:
                self._failing.discard(host)
                self._barred.pop(host, None)
            if circuit.changed:
                log.info("the hooks' endpoint is back", host=host)

    def bar(self, hosts: Iterable[str]) -> None:
        """Take note of the hosts that are not to be called, but by a probe."""
        now = time.monotonic()
        kept = {host: until for host, until in self._barred.items() if until > now}
        self._barred = {**kept, **dict.fromkeys(hosts, now + _KNOWN_FOR)}

    def _of(self, large: bool) -> Bulkhead:
        return self._files if large else self._hosts
