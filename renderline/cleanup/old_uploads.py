"""Removes uploads that are older than their retention and that no unfinished render names."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from renderline.kinds import KINDS, named_files
from renderline.ledger import Doubt, Ledger, unfinished_requests
from renderline.requests import load_body_json
from renderline.uploads import StorageFailed, UploadStore, parse

log = structlog.get_logger(__name__)

_KINDS = frozenset(name for name, kind in KINDS.items() if kind.file_fields)


@dataclass(frozen=True)
class OldUploads:
    """Removes old uploads, in one worker at a time and at most every `every` seconds. The storage says what is old."""

    ledger: Ledger
    store: UploadStore
    retention: float
    """Seconds since a file was uploaded last."""
    every: float
    clock: Callable[[], float] = time.time

    def run(self) -> int:
        """Remove what is due, unless a worker has done so within this period; returns how many files."""
        if Doubt(self.ledger).state():
            # A restored ledger does not know all that name them.
            return 0
        if not self.ledger.redis.set(self.ledger.keys.old_uploads, "", nx=True, px=max(1, int(self.every * 1000))):
            return 0
        try:
            return self._remove()
        except StorageFailed as failed:
            log.warning("old uploads are kept: the storage of uploads does not answer", why=str(failed))
            return 0

    def _remove(self) -> int:
        before = self.clock() - self.retention
        old = {(tenant, sha256) for tenant, sha256, stored in self.store.files() if stored < before}
        if not old:
            return 0
        old -= self._named()
        for tenant, sha256 in old:
            self.store.remove(tenant, sha256)
        log.info("old uploads removed", files=len(old))
        return len(old)

    def _named(self) -> set[tuple[str, str]]:
        """Return the uploads that unfinished renders name."""
        found = set()
        for request in unfinished_requests(self.ledger, _KINDS):
            for file in named_files(KINDS[request.kind], load_body_json(request.body)):
                if reference := parse(file.reference):
                    found.add((request.tenant, reference.sha256))
        return found
