"""Opens the filesystems of storages."""

from __future__ import annotations

from typing import Any, Final

import fsspec

_OBJECT_STORES: Final = ("s3://", "s3a://")


def open_filesystem(url: str) -> tuple[Any, str]:
    """Return the filesystem of a storage's URL, and the path there; raises what the storage's library raises."""
    found: tuple[Any, str]
    if url.startswith(_OBJECT_STORES):
        # An extra: not every installation has its library.
        from renderline.storage.object_store import ObjectStore

        found = ObjectStore(), ObjectStore._strip_protocol(url)
    else:
        found = fsspec.core.url_to_fs(url)
    return found
