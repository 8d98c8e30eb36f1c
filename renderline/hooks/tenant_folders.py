"""Where in the storage each tenant's files lie: below `tenants/<name>`, those of the tenant `default` anywhere else."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from renderline.storage import Folder, StoredFile
from renderline.tenants import DEFAULT

STORAGE_VARIABLE = "RENDERLINE_STORAGE_URL"

_TENANTS = "tenants"


class TenantFolders:
    """The folders that hooks of each tenant may write to."""

    def __init__(self, storage_url: str | None, *, uploads_url: str | None = None) -> None:
        """Read the storage's URL; raises ValueError, naming the variable, for one that cannot be used.

        Below `uploads_url` no hook writes: files that requests name are there.
        """
        try:
            self.storage = Folder(storage_url) if storage_url else None
        except ValueError as error:
            raise ValueError(f"{STORAGE_VARIABLE}: {error}") from None
        self._uploads = Folder(uploads_url) if uploads_url else None

    def problem(self, hook: Mapping[str, Any], tenant: str) -> str | None:
        """Return why the tenant's file cannot be stored where the hook says; None if it can."""
        if self.storage is None:
            return f"set {STORAGE_VARIABLE} (such as file:///videos or s3://bucket/prefix)"
        home, url = self._home(tenant), hook.get("url")
        if url is not None and tenant != DEFAULT and not home.encloses(Folder(url).url):
            return f"the url must be {home.url} or below it, where the files of tenant {tenant} are"
        if url is not None and not self.storage.holds(Folder(url)):
            where = f"a {self.storage.scheme}:// one" if self.storage.is_bucket_store else "below it"
            return f"the url must be {where}, because {STORAGE_VARIABLE} is {self.storage.url}"
        # The fields of a path are filled in later, and checked then.
        literal = "".join(text for text, *_ in string.Formatter().parse(hook.get("path", "")))
        return self.misplaced(self.folder(hook, tenant), literal, tenant)

    def folder(self, hook: Mapping[str, Any], tenant: str) -> Folder:
        """Return the folder that the hook names, or the tenant's own."""
        return Folder(hook["url"]) if "url" in hook else self._home(tenant)

    def misplaced(self, folder: Folder, name: str, tenant: str) -> str | None:
        """Return why the tenant may not write this file of the folder; None if it may."""
        assert self.storage is not None
        reserved = self.storage.below(_TENANTS)
        if tenant == DEFAULT and reserved.encloses(folder.url_of(name), any_case=True):
            return f"{reserved.url} is for the files of other tenants"
        if self._uploads is not None and self._uploads.encloses(folder.url_of(name), any_case=True):
            return f"{self._uploads.url} is for uploads"
        return None

    def stored(self, url: str, tenant: str) -> StoredFile:
        """Open the file of a tenant that was stored under this URL; raises FileNotFoundError if it is not the tenant's.

        A file outside the storage is nobody's. Raises OSError, or what the storage's library raises, if it cannot be
        read.
        """
        if self.storage is None:
            raise FileNotFoundError(f"{STORAGE_VARIABLE} is not set")
        home = self._home(tenant)
        reserved = [self.storage.below(_TENANTS)] if tenant == DEFAULT else []
        reserved += [self._uploads] if self._uploads else []
        if not home.encloses(url) or any(one.encloses(url, any_case=True) for one in reserved):
            raise FileNotFoundError("no file of this tenant")
        return self.storage.stored(url)

    def remove(self, url: str, tenant: str) -> bool:
        """Remove a file of a tenant that a hook stored under this URL, if it is there; False if it is not in a folder
        that this process may write to.

        Raises OSError, or what the storage's library raises.
        """
        folder, _, leaf = url.rpartition("/")
        try:
            place = Folder(folder)
        except ValueError:
            return False
        storage = self.storage
        if storage is None or not leaf or not storage.holds(place):
            return False
        name = unquote(leaf) if place.scheme == "file" else leaf
        if (tenant != DEFAULT and not self._home(tenant).encloses(url)) or self.misplaced(place, name, tenant):
            return False
        place.remove(name, root=storage if storage.scheme == "file" else place)
        return True

    def _home(self, tenant: str) -> Folder:
        assert self.storage is not None
        return self.storage if tenant == DEFAULT else self.storage.below(f"{_TENANTS}/{tenant}")
