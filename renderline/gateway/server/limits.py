"""What one gateway process grants its clients before it has authenticated them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class ConnectionLimits:
    """Times are seconds, and total: they end although single bytes still come or go."""

    header: float = 10.0
    """For the header of a request, from the accepted connection or the end of the previous answer."""
    body: float = 60.0
    """For the body of a request."""
    upload: float = 600.0
    """For the body of an upload."""
    upload_pause: float = 30.0
    """In which an upload may send nothing."""
    write: float = 60.0
    """For an answer, or for one part of an event stream."""
    connections: int = 1000
    """Open connections. Beyond it the connection that has waited longest for its client is dropped."""
    buffered_bytes: int = 64 << 20
    """Bytes of bodies that are not complete and answers that are not read, over all connections; beyond it as above."""


LARGEST_HEADER: Final = 32 * 1024
"""Bytes of a request's line and header fields."""

LINGER: Final = 2.0
"""Seconds in which the rest of a refused body is discarded. A connection that is closed while its client still sends is
reset, and the client may not see the answer."""
