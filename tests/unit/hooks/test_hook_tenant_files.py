"""Which stored files of a tenant can be read by their URL: its own, in this storage, and no link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from renderline.hooks.media_type import media_type
from renderline.hooks.tenant_folders import TenantFolders

FILES = {
    "a.mp4": b"default",
    "2026/b #1.mp4": b"in a folder",
    "tenants/acme/c.mp4": b"acme",
    "tenants/acme corp/d.mp4": b"acme corp",
    "uploads/e.mp4": b"an upload",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    storage = tmp_path / "videos"
    for name, content in FILES.items():
        (storage / name).parent.mkdir(parents=True, exist_ok=True)
        (storage / name).write_bytes(content)
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (storage / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (storage / "linked").symlink_to(tmp_path)
    os.mkfifo(storage / "pipe.mp4")
    return storage


def read(root: Path, url: str, tenant: str = "default") -> bytes:
    folders = TenantFolders(root.as_uri(), uploads_url=f"{root.as_uri()}/uploads")
    stored = folders.stored(url, tenant)
    with stored.file as file:
        content = file.read()
    assert stored.size == len(content)
    assert stored.version
    return content


@pytest.mark.parametrize(
    ("url", "tenant", "content"),
    [
        ("{root}/a.mp4", "default", b"default"),
        ("{root}/2026/b%20%231.mp4", "default", b"in a folder"),
        ("{root}/tenants/acme/c.mp4", "acme", b"acme"),
    ],
)
def test_a_tenant_reads_its_own(root, url, tenant, content):
    assert read(root, url.format(root=root.as_uri()), tenant) == content


@pytest.mark.parametrize(
    ("url", "tenant"),
    [
        ("{root}/tenants/acme/c.mp4", "default"),
        ("{root}/Tenants/acme/c.mp4", "default"),
        ("{root}/tenants/acme%20corp/d.mp4", "acme"),
        ("{root}/a.mp4", "acme"),
        ("{root}/uploads/e.mp4", "default"),
        ("{root}/tenants/acme/../../a.mp4", "acme"),
        ("{root}/tenants/acme/%2e%2e/%2e%2e/a.mp4", "acme"),
        ("{root}/tenants/acme/..%2f..%2fa.mp4", "acme"),
        ("{root}/../secret.mp4", "default"),
        ("{root}/..", "default"),
        ("{root}/%2e%2e/secret.mp4", "default"),
        ("{root}/link.mp4", "default"),
        ("{root}/linked/secret.mp4", "default"),
        ("{root}/pipe.mp4", "default"),
        ("{root}/2026", "default"),
        ("{root}/missing.mp4", "default"),
        ("{root}/a.mp4%00", "default"),
        ("{root}", "default"),
        ("{root}/", "default"),
        ("file:///etc/passwd", "default"),
        ("https://vendor.example/a.mp4", "default"),
        ("memory://videos/a.mp4", "default"),
        ("", "default"),
    ],
)
def test_nothing_else_is_read(root, url, tenant):
    try:
        content = read(root, url.format(root=root.as_uri()), tenant)
    except OSError:
        return
    pytest.fail(f"{url}: {content!r}")


def test_without_a_storage_nothing_is_read():
    with pytest.raises(FileNotFoundError):
        TenantFolders(None).stored("file:///etc/passwd", "default")


def test_a_file_that_changes_has_another_version(root):
    folders, url = TenantFolders(root.as_uri()), f"{root.as_uri()}/a.mp4"
    versions = []
    for content in (b"one", b"two!"):
        (root / "a.mp4").write_bytes(content)
        stored = folders.stored(url, "default")
        stored.file.close()
        versions.append(stored.version)
    assert versions[0] != versions[1]


def test_a_file_of_another_storage_is_read_in_parts():
    storage = TenantFolders("memory://board-videos")
    with storage.storage.storing("a.mp4", claim=lambda *_: True, suffix="x") as file:
        file.write(b"0123456789")
    stored = storage.stored(file.stored_url, "default")
    with stored.file as opened:
        opened.seek(7)
        assert opened.read(2) == b"78"
    assert stored.size == 10
    with pytest.raises(FileNotFoundError):
        storage.stored("memory://board-videos/b.mp4", "default")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.mp4", "video/mp4"),
        ("a.MOV", "video/quicktime"),
        ("a.mp3", "audio/mpeg"),
        ("a.wav", "audio/wav"),
        ("a.m4a", "audio/mp4"),
        ("a.png", "image/png"),
        ("a.html", None),
        ("a.svg", None),
        ("a", None),
        ("", None),
    ],
)
def test_the_media_type_of_a_name(name, expected):
    assert media_type(name) == expected
