"""Videos and uploads in a real object store over HTTP: stored, sent in parts, forgotten; and stores that fail."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from harness.gateway_app import gateway_app
from harness.ledger import LedgerDriver
from harness.object_store import ObjectStore, environ_of
from renderline.hooks import Delivery, DownloadHook, HookFailed
from renderline.hooks.tenant_folders import TenantFolders
from renderline.ledger import FileClaims, Ledger
from renderline.signed_urls.download_links import DownloadLinks
from renderline.uploads import UploadStore
from workers.cli.checks import storage

STORAGE = "s3://videos/renders"
PART = 8 << 20
VIDEO = bytes(range(256)) * (PART // 256) + b"the beginning of a second part"
ONE, OTHER = "a" * 32, "b" * 32


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    process = ObjectStore(tmp_path_factory.mktemp("store") / "store.log")
    try:
        process.wait_ready()
        process.make_bucket("videos")
        yield process
    finally:
        process.kill()


def filesystems() -> tuple[Any, Any]:
    """Return the class of s3fs and ours, imported late: that takes a second in each process that collects this file."""
    from s3fs import S3FileSystem

    from renderline.storage.object_store import ObjectStore

    return S3FileSystem, ObjectStore


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Return a function that has the AWS libraries call an endpoint, as a new process would."""

    classes = filesystems()

    def use(endpoint: str) -> None:
        for one in classes:
            one.clear_instance_cache()
        for name, value in environ_of(endpoint).items():
            monkeypatch.setenv(name, value)

    yield use
    for one in classes:
        one.clear_instance_cache()


@pytest.fixture
def bucket(server: ObjectStore, use: Callable[[str], None]) -> Any:
    """The empty bucket, read past the code under test."""
    use(server.url)
    plain, _ = filesystems()
    files = plain(use_listings_cache=False)
    for path in files.find("videos"):
        files.rm_file(path)
    return files


def completed(link: str, render_id: str = ONE) -> Delivery:
    record = {"id": render_id, "kind": "project", "name": "Welcome", "download_url": link, "tenant": "default"}
    return Delivery("render.completed", f"msg_{render_id}_0", 1_795_170_245.0, record)


def test_a_download_in_parts_replaces_its_own_file_and_no_other(serve, bucket, redis: Redis) -> None:
    link = f"{serve(lambda request: request.reply(200, VIDEO, Content_Type='video/mp4')).url}/video.mp4"
    hook = DownloadHook(STORAGE, claims=FileClaims(Ledger(redis)))
    named = {"type": "download", "path": "welcome.mp4"}
    first = hook.deliver(named, completed(link))["stored_url"]
    assert first == f"{STORAGE}/welcome.mp4"
    assert hook.deliver(named, completed(link))["stored_url"] == first
    assert hook.deliver(named, completed(link, OTHER))["stored_url"] == f"{STORAGE}/welcome-{OTHER}.mp4"
    found = bucket.find("videos", detail=True)
    sizes = {path: one["size"] for path, one in found.items()}
    assert sizes == {"videos/renders/welcome.mp4": len(VIDEO), f"videos/renders/welcome-{OTHER}.mp4": len(VIDEO)}
    assert bucket.cat_file("videos/renders/welcome.mp4") == VIDEO
    # An ETag with a dash: it came in parts, and was copied within the store.
    (left,) = [bucket.call_s3("list_multipart_uploads", Bucket="videos")]
    assert left.get("Uploads", []) == []


def test_a_broken_download_leaves_nothing(serve, bucket) -> None:
    def cut(request: Any) -> None:
        request.reply(200, VIDEO[:-10], Content_Length=len(VIDEO), Content_Type="video/mp4")
        request.close_connection = True

    with pytest.raises(HookFailed, match="broke off"):
        DownloadHook(STORAGE).deliver({"type": "download"}, completed(f"{serve(cut).url}/video.mp4"))
    assert bucket.find("videos") == []


def test_the_gateway_sends_parts_of_it_until_it_is_forgotten(bucket, redis: Redis) -> None:
    bucket.pipe_file("videos/renders/a.mp4", VIDEO)
    driver = LedgerDriver(redis)
    driver.complete(ONE, hooks=0)
    url = f"{STORAGE}/a.mp4"
    redis.hset(f"renderline:render:{ONE}", "stored_url", url)
    folders = TenantFolders(STORAGE)
    caller = gateway_app(redis, videos=folders, download_links=DownloadLinks("k" * 32)).test_client()
    link = caller.post(f"/v1/renders/{ONE}/links").json["url"]
    for place in (link, f"/renders/{ONE}/video"):
        part = caller.get(place, headers={"Range": "bytes=8388600-8388620"})
        assert (part.status_code, part.data) == (206, VIDEO[8388600:8388621])
        assert part.headers["Content-Range"] == f"bytes 8388600-8388620/{len(VIDEO)}"
        assert caller.head(place).content_length == len(VIDEO)
    assert caller.get(link).data == VIDEO
    assert folders.remove(url, "default")
    assert bucket.find("videos") == []
    assert caller.get(link).status_code == 404
    with pytest.raises(FileNotFoundError):
        folders.stored(url, "default")


def test_uploads_are_kept_there(bucket) -> None:
    store = UploadStore("s3://videos/uploads", max_bytes=10**6)
    content = b"a report of two lines\nand no more\n"
    stored = store.put("report.txt", [content[:10], content[10:]], tenant="acme")
    sha256 = hashlib.sha256(content).hexdigest()
    assert stored.reference.sha256 == sha256
    assert store.put("again.txt", [content], tenant="acme").reference.sha256 == sha256
    assert bucket.find("videos") == [f"videos/uploads/tenants/acme/{sha256}"]
    with store.read(stored.reference, tenant="acme") as file:
        assert file.read() == content
    assert [(tenant, one) for tenant, one, _ in store.files()] == [("acme", sha256)]
    store.remove("acme", sha256)
    assert bucket.find("videos") == []


def test_the_doctor_writes_and_reads_there(bucket) -> None:
    assert storage.check(STORAGE).verdict == "ok"
    assert bucket.find("videos") == []


def test_a_bucket_that_is_not_there_is_not_made(serve, bucket) -> None:
    link = f"{serve(lambda request: request.reply(200, b'video', Content_Type='video/mp4')).url}/video.mp4"
    with pytest.raises(HookFailed, match=r"did not take .*specified bucket does not exist.*AWS_ENDPOINT_URL") as failed:
        DownloadHook("s3://elsewhere/renders").deliver({"type": "download"}, completed(link))
    assert "check RENDERLINE_STORAGE_URL and what the worker may do there" in str(failed.value)
    found = storage.check("s3://elsewhere/renders")
    assert (found.verdict, "bucket does not exist" in found.detail) == ("fail", True)
    assert "RENDERLINE_STORAGE_URL" in found.advice
    assert bucket.ls("") == ["videos"]


SAID = r"s3://videos/renders did not take .*AWS_ENDPOINT_URL.*check RENDERLINE_STORAGE_URL"


def test_a_store_that_answers_500_is_called_a_few_times(serve, use) -> None:
    broken = serve(lambda request: request.reply(500))
    use(broken.url)
    link = f"{serve(lambda request: request.reply(200, b'video', Content_Type='video/mp4')).url}/video.mp4"
    with pytest.raises(HookFailed, match=SAID):
        DownloadHook(STORAGE).deliver({"type": "download"}, completed(link))
    # To send it, to send it when it is closed, and to remove it.
    assert 2 <= len(broken.asked) <= 6


def test_a_store_that_hangs_is_given_up(serve, use, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the `100 Continue` comes: the library by itself waits for that without end."""
    _, ours = filesystems()
    monkeypatch.setattr(ours, "call_limit", 0.3)
    link = f"{serve(lambda request: request.reply(200, b'video', Content_Type='video/mp4')).url}/video.mp4"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(HookFailed, match=SAID) as failed:
            DownloadHook(STORAGE).deliver({"type": "download"}, completed(link))
    assert "did not answer put_object in 0.3 s" in str(failed.value)
