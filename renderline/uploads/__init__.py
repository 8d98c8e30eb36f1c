"""Uploads: files that requests name, in storage that every process shares."""

from renderline.uploads.errors import (
    SourceBroken,
    SourceUnavailable,
    StorageFailed,
    UploadRefused,
    UploadTooLarge,
)
from renderline.uploads.fetching import Fetcher
from renderline.uploads.file_type import FILE_TYPES
from renderline.uploads.opening import FileOpener, OpenedFile, missing
from renderline.uploads.reference import Reference, fault_of, parse
from renderline.uploads.store import CHUNK, StoredUpload, UploadStore

__all__ = [
    "CHUNK",
    "FILE_TYPES",
    "Fetcher",
    "FileOpener",
    "OpenedFile",
    "Reference",
    "SourceBroken",
    "SourceUnavailable",
    "StorageFailed",
    "StoredUpload",
    "UploadRefused",
    "UploadStore",
    "UploadTooLarge",
    "fault_of",
    "missing",
    "parse",
]
