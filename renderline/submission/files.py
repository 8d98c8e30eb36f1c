"""Opens the files that a render names, for as long as its claim lasts: while a file is read, the lease is renewed."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from renderline.http import prolong
from renderline.kinds import RequestUnfit
from renderline.ledger import Ledger
from renderline.studio import TooLate, Upload, UploadUnreadable
from renderline.submission.plan_run import ANSWERED_WITHIN, Leases, PlanRun
from renderline.uploads import FILE_TYPES, FileOpener, StorageFailed, UploadRefused

_RENEW: Final = 0.25
"""Share of the lease after which it is renewed."""
LONGEST: Final = 900.0
"""Seconds for which files keep a claim: for fetching them and sending them together."""


@dataclass
class RunFiles:
    """The files of one run through a plan."""

    run: PlanRun
    ledger: Ledger
    opener: FileOpener
    leases: Leases
    _began: float = field(default_factory=time.monotonic)
    _renewed: float = field(default_factory=time.monotonic)

    def open(self, reference: str, /, *, endings: Collection[str] = tuple(FILE_TYPES), path: str = "file") -> Upload:
        """Return a file whose content was checked; raises `RequestUnfit`, or a `StudioFault` if it is retried."""
        if time.monotonic() - self._began > LONGEST:
            # Its lease is no longer renewed: another worker would begin it all again.
            raise RequestUnfit(path, f"the files of this request took longer than {LONGEST:g} s to fetch")
        try:
            file = self.opener.open(reference, tenant=self.run.claim.tenant, endings=endings, keep=self._keep)
        except UploadRefused as refused:
            raise RequestUnfit(path, str(refused)) from None
        except StorageFailed as failed:
            raise UploadUnreadable(str(failed), endpoint="the storage of uploads") from None
        return Upload(file.name, file.size, file.open, file.content_type)

    def _keep(self) -> None:
        """Renew the lease, if it is time; raises `TooLate` if the claim is lost."""
        assert self.run.stage
        lease, now = self.leases.of(self.run.stage), time.monotonic()
        if now - self._renewed < lease * _RENEW or now - self._began > LONGEST:
            return
        self._renewed = now
        self.run.announce()
        if not self.ledger.record_intent(self.run.claim, self.run.stage.name, lease=lease):
            raise TooLate("another worker has taken over", endpoint=self.run.stage.name)
        prolong(self.run.send_until(lease), lease * ANSWERED_WITHIN)
