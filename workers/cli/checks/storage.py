"""Check of the storage: a file that is written there can be read back."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable

from renderline.storage import Folder, open_filesystem
from workers.cli.checks.result import CheckResult

_ADVICE = "check RENDERLINE_STORAGE_URL and this user's permissions there"


def check(url: str | None, *, reader: Callable[[str], bytes] | None = None) -> CheckResult:
    """Write a small file to the storage as downloads do, read it, and remove it."""
    if not url:
        detail = "RENDERLINE_STORAGE_URL is unset: requests with a download hook are refused"
        return CheckResult("storage", "warn", detail, "set it to file:///srv/videos, s3://bucket/prefix ...")
    content = secrets.token_bytes(32)
    name = f"renderline-doctor-{secrets.token_hex(4)}.probe"
    try:
        folder = Folder(url)
    except ValueError as error:
        return CheckResult("storage", "fail", str(error), _ADVICE)
    address = f"{url.rstrip('/')}/{name}"
    try:
        with folder.storing(name, claim=lambda _, taken: not taken, suffix="probe") as draft:
            draft.write(content)
        same = (reader or _read)(address) == content
    except Exception as error:
        # Each storage library raises errors of its own.
        return CheckResult("storage", "fail", f"{folder.url}: {folder.describe(error)}", _ADVICE)
    finally:
        with contextlib.suppress(Exception):
            filesystem, path = open_filesystem(address)
            filesystem.rm_file(path)
    if not same:
        return CheckResult("storage", "fail", f"{folder.url}: the bytes read differ from the bytes written", _ADVICE)
    return CheckResult("storage", "ok", f"{folder.url} is writable from here")


def _read(address: str) -> bytes:
    filesystem, path = open_filesystem(address)
    with filesystem.open(path, "rb") as file:
        content: bytes = file.read()
        return content
