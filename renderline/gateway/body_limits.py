"""How large a body may be, by path: known before the call has a thread, and before anything of it is parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from renderline.signed_urls.webhook_urls import PATH

BATCH_FACTOR: Final = 8
"""How many times as large as a render request a batch may be."""

LARGEST_WEBHOOK: Final = 64 * 1024
"""Bytes. The documented body has four short fields."""

UPLOADS: Final = "/v1/uploads"
"""The path of uploads. Their bodies are read as they come."""

_BATCH: Final = "/v1/renders/batch"


@dataclass(frozen=True)
class BodyLimits:
    """The largest body for each path, in bytes."""

    largest_request: int
    """Of a render request."""
    largest_upload: int = 0
    """Of an uploaded file."""

    def __call__(self, path: str) -> int:
        """Return the largest body for a path, in bytes."""
        if path.startswith(f"{PATH}/"):
            return LARGEST_WEBHOOK
        if self.streamed(path):
            return self.largest_upload
        return self.largest_request * (BATCH_FACTOR if path == _BATCH else 1)

    @staticmethod
    def streamed(path: str) -> bool:
        """Return whether the application reads the body as it comes."""
        return path == UPLOADS
