"""The vendor's older v2 API: create and export in one call, progress, a key that never changes."""

from collections.abc import Mapping
from typing import Any

from renderline.studio.credentials import sendable
from renderline.studio.endpoint import Endpoint, segment
from renderline.studio.faults import CredentialsRefused, TokenRejected
from renderline.studio.progress import Progress, Unreadable, key_v2, progress_v2
from renderline.studio.response import LONGEST_WAIT
from renderline.studio.transport import CallGuard, Transport

_ROOT = "/api/odin"

CREATE = Endpoint("POST", f"{_ROOT}/editor/project", effect=True)
PROGRESS = Endpoint("GET", f"{_ROOT}/editor/progress/{{key}}", of_project=True)


class StudioV2:
    """A client of the v2 API for one account; safe to share between threads. Timeouts as in StudioV3, in seconds."""

    def __init__(
        self,
        base_url: str,
        *,
        secret_key: str,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        pool_size: int = 64,
        total_timeout: float = 60.0,
        guard: CallGuard | None = None,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        """Raise ValueError for a base URL that is more or less than scheme and host, or a key no header can carry."""
        if not sendable(secret_key):
            raise ValueError("the v2 secret key must be printable ASCII without blanks")
        self._secret_key = secret_key
        self._transport = Transport(
            base_url,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            pool_size=pool_size,
            guard=guard,
            longest_wait=longest_wait,
        )

    def __repr__(self) -> str:
        return f"StudioV2({self._transport.origin!r})"

    @property
    def total_timeout(self) -> float:
        """The most seconds that one call may take."""
        return self._transport.total_timeout

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def create_project(self, body: Mapping[str, Any]) -> str:
        """Create a project and render it, which costs cubes; return its key (AI Studios v2 contract, create).

        Raises PayloadRefused, CredentialsRefused, RateLimited, VendorUnavailable (nothing was sent), OutcomeUnknown.
        """
        key = key_v2(self._call(CREATE, CREATE.path, body))
        if key is None:
            raise CREATE.unseen("the vendor reports success but no project key", status=200)
        return key

    def progress(self, key: str) -> Progress:
        """Return how far a render is (AI Studios v2 contract, progress).

        Raises ProjectMissing, PayloadRefused, CredentialsRefused, RateLimited, VendorUnavailable.
        """
        answer = self._call(PROGRESS, f"{_ROOT}/editor/progress/{segment(PROGRESS, key)}")
        try:
            return progress_v2(answer)
        except Unreadable as unreadable:
            reason = str(unreadable)
        raise PROGRESS.unseen(reason, status=200)

    def _call(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._transport.call(endpoint, path, authorization=self._secret_key, body=body)
        except TokenRejected as denied:
            refused = denied.recast(CredentialsRefused)
        raise refused
