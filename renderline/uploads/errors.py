"""What can be wrong with an upload."""

from __future__ import annotations


class UploadRefused(ValueError):
    """The file does not fit: its name, type, size, or what became of it. `field` is `name` or `file`."""

    def __init__(self, message: str, *, field: str = "file") -> None:
        super().__init__(message)
        self.field = field


class UploadTooLarge(UploadRefused):
    """The file has more bytes than are allowed."""


class SourceBroken(OSError):
    """The sender of the file stopped before its end."""


class SourceUnavailable(OSError):
    """The file cannot be read now; a later attempt may succeed."""


class StorageFailed(OSError):
    """The storage of uploads did not do what it was asked."""
