"""Files of downloads: paths that leave the storage, links in it, and files of other renders."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import ATTACKER, ENDED, VICTIM, Target, a_render
from harness import until

_PATHS = (
    "../out.mp4",
    "a/../../out.mp4",
    "/tmp/out.mp4",
    "..\\out.mp4",
    "%2e%2e/out.mp4",
    "..%2fout.mp4",
    "~/out.mp4",
    "./../out.mp4",
    "a/./../../out.mp4",
    "{name.__class__}.mp4",
    "{id!r}.mp4",
    "x\x00.mp4",
    "x\n.mp4",
    "CON:stream",
    "..",
    ".hidden",
    "a//b.mp4",
    "\u2025/out.mp4",
)


def _download(tenant: str, target: Target, **hook: Any) -> str | None:
    """Submit a render that stores its video like that; returns its id, None if it is refused."""
    answer = target.submit(a_render(hooks=[{"type": "download", **hook}]), tenant=tenant)
    return str(answer.json()["id"]) if answer.status_code == 202 else None


def _settled(target: Target, tenant: str, ids: Iterable[str | None]) -> list[dict[str, Any]]:
    """Wait until the renders have ended, or their hook has failed once; returns the records."""

    def look(render_id: str) -> dict[str, Any] | None:
        record = target.record(render_id, tenant=tenant)
        return record if record["state"] in ENDED or any(hook.get("error") for hook in record["hooks"]) else None

    return [until(lambda one=one: look(one), what=f"the end of {one}") for one in ids if one]


def _stored(record: dict[str, Any]) -> Path | None:
    url = record.get("stored_url")
    return Path(unquote(urlsplit(url).path)) if url else None


@attack("path-traversal", "download paths and folders that lead out of the storage")
def path_traversal(target: Target, long: bool) -> Finding:
    videos = target.directory / "videos"
    ids = [_download(ATTACKER, target, path=path) for path in _PATHS]
    base = videos.as_uri()
    urls = (
        "file:///tmp",
        f"{base}/../out",
        f"{base}-beside",
        f"{base}/%2e%2e/out",
        f"{base}/tenants/{VICTIM}",
        "local:///tmp",
        "sftp://root@127.0.0.1/tmp",
        "http://127.0.0.1/",
        "ftp://127.0.0.1/",
        "github://x",
        "simplecache::file:///tmp",
        "reference::file:///etc/passwd",
        "s3://someone/else",
        "memory://x",
    )
    ids += [_download(ATTACKER, target, url=url) for url in urls]
    records = _settled(target, ATTACKER, ids)
    files = [path for path in map(_stored, records) if path]
    theirs = videos / "tenants" / VICTIM
    outside = [path for path in files if not path.resolve().is_relative_to(videos) or path.is_relative_to(theirs)]
    accepted = sum(one is not None for one in ids)
    figure = f"{len(ids)} paths and folders: {len(ids) - accepted} refused, {len(outside)} left the storage"
    return Finding(not outside and not (target.directory / "out.mp4").exists(), figure)


@attack("storage-links", "symbolic links in the storage that lead elsewhere")
def storage_links(target: Target, long: bool) -> Finding:
    videos, outside = target.directory / "videos", target.directory / f"outside-{time.time_ns()}"
    outside.mkdir()
    for folder in (videos, videos / "tenants" / ATTACKER):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "link").unlink(missing_ok=True)
        (folder / "link").symlink_to(outside)
        (folder / "file.mp4").unlink(missing_ok=True)
        (folder / "file.mp4").symlink_to(outside / "by-file.mp4")
    ids = [_download(ATTACKER, target, path=path) for path in ("link/a.mp4", "link/deep/b.mp4", "file.mp4")]
    ids.append(_download(ATTACKER, target, url=f"{videos.as_uri()}/link"))
    _settled(target, ATTACKER, ids)
    found = [path for path in outside.rglob("*") if path.is_file()]
    return Finding(not found, f"{len(found)} files written through links")


@attack("overwritten-files", "storing a video under the name of another render's")
def overwritten_files(target: Target, long: bool) -> Finding:
    name = f"same-{time.time_ns()}.mp4"
    changed = 0
    for other in (VICTIM, ATTACKER):
        (first,) = _settled(target, VICTIM, [_download(VICTIM, target, path=f"{other}-{name}")])
        stored = _stored(first)
        assert stored is not None, first
        before = stored.read_bytes()
        _settled(target, other, [_download(other, target, path=f"{other}-{name}")])
        changed += stored.read_bytes() != before
    return Finding(not changed, f"{changed} of 2 files overwritten (same tenant, another tenant)")
