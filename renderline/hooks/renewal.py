"""Renews the claims of the hooks that run in this process, so that a long download is not taken over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from renderline.ledger import HookClaim, Ledger


class ClaimRenewal:
    """The claims of running hooks, each for `lease` seconds at a time."""

    def __init__(self, ledger: Ledger, lease: float) -> None:
        self._ledger, self._lease = ledger, lease
        self._running: dict[tuple[str, int], HookClaim] = {}
        self._lock = threading.Lock()

    @contextmanager
    def renewed(self, render_id: str, index: int, claim: HookClaim) -> Iterator[None]:
        """While entered, the claim is among those that are renewed."""
        with self._lock:
            self._running[render_id, index] = claim
        try:
            yield
        finally:
            with self._lock:
                self._running.pop((render_id, index), None)

    def renew_all(self) -> None:
        """Renew every claim; called every third of a lease."""
        with self._lock:
            running = dict(self._running)
        for (render_id, index), claim in running.items():
            self._ledger.renew_hook(render_id, index, claim, lease=self._lease)
