"""What the calls of every subject of the v2 API share: transport, secret key, and how a key is read."""

from collections.abc import Mapping
from typing import Any

from renderline.studio.credentials import sendable
from renderline.studio.endpoint import Endpoint
from renderline.studio.faults import CredentialsRefused, TokenRejected
from renderline.studio.progress import key_v2
from renderline.studio.response import LONGEST_WAIT
from renderline.studio.transport import CallGuard, Transport

ROOT = "/api/odin"


class V2Calls:
    """Makes calls of one account; the subjects derive from it."""

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
        return f"{type(self).__name__}({self._transport.origin!r})"

    @property
    def total_timeout(self) -> float:
        """The most seconds that one call may take."""
        return self._transport.total_timeout

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _key(self, endpoint: Endpoint, path: str, body: Mapping[str, Any]) -> str:
        """Make a call that answers with a key; an answer without one is an unknown outcome."""
        key = key_v2(self._call(endpoint, path, body))
        if key is None:
            raise endpoint.unseen("the vendor reports success but no project key", status=200)
        return key

    def _call(self, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        try:
            return self._transport.call(endpoint, path, authorization=self._secret_key, body=body)
        except TokenRejected as denied:
            refused = denied.recast(CredentialsRefused)
        raise refused
