"""An endpoint of the vendor's API: method, path, whether it changes anything, and how its request is encoded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from renderline.studio.faults import OutcomeUnknown, PayloadRefused, StudioFault, VendorUnavailable

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint: `path` is a template for people, `effect` says whether the call changes anything.

    `of_project` says that a 404 means a missing project; `max_bytes` is the largest response (decoded) that is read.
    With `rows_of`, a response with a list may be of any length: only these fields of each object are kept, and together
    they may take `max_bytes`. `slow` says that the answer comes only when the work is done: it may take as long as the
    whole exchange, without a byte in between.
    """

    method: str
    path: str
    effect: bool = False
    of_project: bool = False
    max_bytes: int = 4 * MEGABYTE
    rows_of: tuple[str, ...] = ()
    slow: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def unseen(self, message: str, **found: Any) -> StudioFault:
        """Return the fault of a call with an unknown outcome: VendorUnavailable for a read, else OutcomeUnknown."""
        return (OutcomeUnknown if self.effect else VendorUnavailable)(message, endpoint=str(self), **found)


def origin_of(base_url: str) -> str:
    """Return `base_url` without its trailing slash; raise ValueError if it is more or less than scheme and host."""
    text = base_url.strip().rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("the base URL must be http:// or https:// and a host")
    if "@" in parts.netloc:
        raise ValueError("the base URL must not carry credentials")
    if parts.path or parts.query or parts.fragment:
        raise ValueError("the base URL must end after the host and port; the API's paths are added to it")
    return f"{parts.scheme}://{parts.netloc}"


def segment(endpoint: Endpoint, key: str, *, reserved: frozenset[str] = frozenset()) -> str:
    """Return `key` quoted for a path; raise PayloadRefused if it would address something else."""
    if not key.strip() or key in (".", "..") or key in reserved:
        raise PayloadRefused("the id in the path is empty or a reserved word; nothing was sent", endpoint=str(endpoint))
    return quote(key, safe="")


def encode(endpoint: Endpoint, body: Mapping[str, Any]) -> bytes:
    """Return `body` as compact JSON with every digit of floats; raise PayloadRefused if JSON cannot express it."""
    try:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        reason = f"the body has no JSON form ({type(error).__name__}); nothing was sent"
    raise PayloadRefused(reason, endpoint=str(endpoint))
