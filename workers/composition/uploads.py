"""The storage of uploads, and the opening of files that requests name."""

from __future__ import annotations

from config.settings import Settings
from renderline.uploads import Fetcher, FileOpener, UploadStore


def upload_store(settings: Settings) -> UploadStore | None:
    """Return the storage of uploads; None without a URL for it. Raises ValueError for a URL that cannot be used."""
    url = settings.uploads_folder
    return UploadStore(url, max_bytes=settings.max_upload_bytes) if url else None


def file_opener(settings: Settings) -> FileOpener:
    """Return what opens the files that requests name."""
    return FileOpener(upload_store(settings), Fetcher(max_bytes=settings.max_upload_bytes, user_agent="renderline"))
