"""Time for the sandbox: epoch seconds that never jump."""

import time
from datetime import UTC, datetime


class Clock:
    """Epoch seconds read once at the start and carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Epoch seconds; never goes backwards."""
        return self._offset + time.monotonic()


def iso(epoch: float) -> str:
    """An epoch time as ISO 8601 UTC with milliseconds, the form chosen for `createdAt` and `updatedAt`."""
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
