"""Uploads are stored by their content, for each tenant by itself."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.documents import document
from renderline.uploads import Reference, SourceBroken, StorageFailed, UploadRefused, UploadStore, UploadTooLarge

DECK = document("pptx")


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> UploadStore:
    url = tmp_path.as_uri() if request.param == "file" else f"memory://{uuid.uuid4().hex}"
    return UploadStore(f"{url}/uploads", max_bytes=1_000_000)


def put(store: UploadStore, content: bytes = DECK, *, name: str = "deck.pptx", tenant: str = "default") -> Reference:
    half = len(content) // 2
    return store.put(name, iter([content[:half], content[half:]]), tenant=tenant).reference


def test_a_file_is_read_as_it_was_stored(store: UploadStore) -> None:
    stored = store.put("/tmp/deck.pptx", iter([DECK]), tenant="default")
    assert stored.reference == Reference(hashlib.sha256(DECK).hexdigest(), "deck.pptx")
    assert stored.size == len(DECK)
    with store.read(stored.reference, tenant="default") as file:
        assert file.read() == DECK


def test_the_same_content_is_stored_once(store: UploadStore) -> None:
    assert put(store).sha256 == put(store, name="other.pptx").sha256
    assert len(list(store.files())) == 1


def test_a_tenant_reads_its_own_files_alone(store: UploadStore) -> None:
    reference = put(store, tenant="acme")
    assert store.has(reference, tenant="acme")
    for other in ("default", "globex"):
        assert not store.has(reference, tenant=other)
        with pytest.raises(FileNotFoundError):
            store.read(reference, tenant=other)


def test_files_are_listed_with_their_age_and_removed(store: UploadStore) -> None:
    first, second = put(store), put(store, document("pdf"), name="a.pdf", tenant="acme")
    listed = list(store.files())
    assert [(tenant, sha) for tenant, sha, _ in listed] == [("acme", second.sha256), ("default", first.sha256)]
    store.remove("acme", second.sha256)
    store.remove("acme", second.sha256)
    assert [sha for _, sha, _ in store.files()] == [first.sha256]


def broken() -> Iterator[bytes]:
    yield DECK[:100]
    raise SourceBroken("the client has gone")


@pytest.mark.parametrize(
    ("name", "chunks", "error"),
    [
        ("deck.pptx", lambda: iter([DECK, b"x" * 1_000_000]), UploadTooLarge),
        ("deck.pptx", lambda: iter([document("pdf")]), UploadRefused),
        ("deck.exe", lambda: iter([DECK]), UploadRefused),
        ("deck.txt", lambda: iter([]), UploadRefused),
        ("deck.pptx", broken, SourceBroken),
    ],
)
def test_of_what_is_refused_nothing_stays(store: UploadStore, name: str, chunks: object, error: type) -> None:
    with pytest.raises(error):
        store.put(name, chunks(), tenant="default")  # type: ignore[operator]
    assert list(store.files()) == []


def test_nothing_of_an_unfinished_file_stays_on_the_disk(tmp_path: Path) -> None:
    with pytest.raises(SourceBroken):
        UploadStore(tmp_path.as_uri(), max_bytes=10**6).put("deck.pptx", broken(), tenant="default")
    assert not [one for one in tmp_path.rglob("*") if one.is_file()]


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    store = UploadStore(tmp_path.as_uri(), max_bytes=10**6)
    seen: list[int] = []

    def chunks() -> Iterator[bytes]:
        for chunk in (DECK[:100], DECK[100:]):
            yield chunk
            seen.append(len(list(store.files())))

    store.put("deck.pptx", chunks(), tenant="default")
    assert seen == [0, 0]
    assert len(list(store.files())) == 1


def test_a_link_below_the_storage_is_not_followed(tmp_path: Path) -> None:
    store = UploadStore((tmp_path / "uploads").as_uri(), max_bytes=10**6)
    reference = put(store)
    secret = tmp_path / "secret"
    secret.write_bytes(b"%PDF secret")
    path = tmp_path / "uploads" / "tenants" / "default" / reference.sha256
    path.unlink()
    path.symlink_to(secret)
    with pytest.raises(StorageFailed):
        store.read(reference, tenant="default")


def test_files_are_not_for_everybody(tmp_path: Path) -> None:
    reference = put(UploadStore(tmp_path.as_uri(), max_bytes=10**6))
    path = tmp_path / "tenants" / "default" / reference.sha256
    assert os.stat(path).st_mode & 0o007 == 0


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    store = UploadStore(tmp_path.as_uri(), max_bytes=100 << 20)
    chunk = b"y" * (1 << 18)

    def chunks() -> Iterator[bytes]:
        yield b"%PDF-1.7\n"
        for _ in range(200):
            yield chunk

    tracemalloc.start()
    store.put("large.pdf", chunks(), tenant="default")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
