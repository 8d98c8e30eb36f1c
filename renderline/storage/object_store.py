"""The object store as s3fs reaches it, with limits for how long a store that does not answer is waited for.

By its own measure it is waited for without end: the library repeats what failed up to five times, the one below it
each of these five times, and the wait for `100 Continue`, before each upload, has no limit. A hook is retried anyway.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from fsspec.asyn import sync_wrapper
from s3fs import S3FileSystem


class ObjectStore(S3FileSystem):
    """s3fs with limits; endpoint, region and credentials are those of the AWS libraries' own variables and files."""

    retries = 2
    connect_timeout = 5
    read_timeout = 15
    call_limit: ClassVar[float] = 120.0
    """Seconds for one call: a part of 8 MiB takes that long at 70 KB/s."""
    copy_limit: ClassVar[float] = 900.0
    """Seconds for one copy within the store, which answers when it is done."""

    async def _call_s3(self, method: str, *arguments: Any, **options: Any) -> Any:
        limit = self.copy_limit if "copy" in method else self.call_limit
        call = asyncio.ensure_future(super()._call_s3(method, *arguments, **options))
        done, _ = await asyncio.wait({call}, timeout=limit)
        if not done:
            # Not waited for: one that waits for `100 Continue` takes no notice of it.
            call.cancel()
            # No TimeoutError: fsspec replaces that by one without a text.
            raise ConnectionError(f"the store did not answer {method} in {limit:g} s")
        return call.result()

    # What files that are written call; the one of s3fs calls its own method.
    call_s3 = sync_wrapper(_call_s3)

    def _prepare_config_kwargs(self) -> dict[str, Any]:
        found: dict[str, Any] = super()._prepare_config_kwargs()
        return {"retries": {"mode": "standard", "total_max_attempts": 2}, **found}
