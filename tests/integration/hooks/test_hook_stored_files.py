"""No render overwrites a file of another one, and no link leads a file out of the storage."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from redis import Redis

from harness import until
from renderline.hooks import Delivery, DownloadHook, HookFailed
from renderline.ledger import FileClaims, Ledger

PATH = {"type": "download", "path": "orders/{name}.mp4"}


@pytest.fixture(params=["file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "file":
        yield (tmp_path / "videos").as_uri()
    else:
        yield "memory://stored-files/videos"
        filesystem = fsspec.filesystem("memory")
        if filesystem.exists("/stored-files"):
            filesystem.rm("/stored-files", recursive=True)


@pytest.fixture
def claims(redis: Redis) -> FileClaims:
    return FileClaims(Ledger(redis))


@pytest.fixture
def video(serve: Any) -> str:
    """The address of a server whose videos hold their own path."""
    server = serve(lambda request: request.reply(200, request.path.encode()))
    return str(server.url)


def delivery(video: str, render_id: str, *, version: str = "", **record: Any) -> Delivery:
    link = f"{video}/{render_id}{version}"
    record = {"id": render_id, "kind": "project", "name": "Same name", "download_url": link, **record}
    return Delivery("render.completed", f"msg_{render_id}_1_0", 1_795_170_245.0, record)


def content(url: str) -> str:
    with fsspec.open(url, "rb") as file:
        return str(file.read().decode())


def stored(hook: DownloadHook, what: Delivery, spec: dict[str, Any] = PATH) -> str:
    return str(hook.deliver(spec, what)["stored_url"])


def test_two_renders_of_one_name_have_two_files(storage: str, claims: FileClaims, video: str) -> None:
    hook = DownloadHook(storage, claims=claims)
    first, second = stored(hook, delivery(video, "r1")), stored(hook, delivery(video, "r2"))
    assert (first, second) == (f"{storage}/orders/Same-name.mp4", f"{storage}/orders/Same-name-r2.mp4")
    assert (content(first), content(second)) == ("/r1", "/r2")
    # A second delivery replaces the file of its own render, wherever that is.
    for render_id, url in (("r2", second), ("r1", first)):
        assert stored(hook, delivery(video, render_id, version="?again")) == url
    assert (content(first), content(second)) == ("/r1?again", "/r2?again")


def test_two_renders_of_one_name_at_once(storage: str, claims: FileClaims, serve: Any) -> None:
    together = threading.Barrier(2, timeout=60)

    def meet(request: Any) -> None:
        together.wait()
        request.reply(200, request.path.encode())

    server, urls = serve(meet), {}
    hook = DownloadHook(storage, claims=claims)

    def deliver(render_id: str) -> None:
        urls[render_id] = stored(hook, delivery(server.url, render_id))

    threads = [threading.Thread(target=deliver, args=(render_id,)) for render_id in ("r1", "r2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {render_id: content(url) for render_id, url in urls.items()} == {"r1": "/r1", "r2": "/r2"}


def test_a_name_that_looks_like_anothers_is_anothers_all_the_same(storage: str, claims: FileClaims, video: str) -> None:
    """Ids can be known before: r9 takes the name that r2 would get beside r1."""
    hook = DownloadHook(storage, claims=claims)
    stored(hook, delivery(video, "r9"), {"type": "download", "path": "orders/Same-name-r2.mp4"})
    stored(hook, delivery(video, "r1"))
    url = stored(hook, delivery(video, "r2"))
    assert url == f"{storage}/orders/Same-name-r2-2.mp4"
    assert content(f"{storage}/orders/Same-name-r2.mp4") == "/r9"


def test_a_file_whose_record_is_forgotten_stays(storage: str, claims: FileClaims, video: str, redis: Redis) -> None:
    hook = DownloadHook(storage, claims=claims)
    first = stored(hook, delivery(video, "r1"), {"type": "download"})
    redis.flushall()
    # The same key gave the same id again, a week later.
    second = stored(hook, delivery(video, "r1", version="?later"), {"type": "download"})
    assert (first, second) == (f"{storage}/r1.mp4", f"{storage}/r1-2.mp4")
    assert (content(first), content(second)) == ("/r1", "/r1?later")


class Killed(BaseException):
    """Stands for the end of the process."""


class Crashing(FileClaims):
    """Ends the process once a name is claimed, before the file has it."""

    def claim(self, url: str, render_id: str, *, taken: bool) -> bool:
        super().claim(url, render_id, taken=taken)
        raise Killed


def test_a_crash_between_claim_and_file_costs_neither_render_its_file(
    storage: str, claims: FileClaims, video: str, redis: Redis
) -> None:
    with pytest.raises(Killed):
        stored(DownloadHook(storage, claims=Crashing(Ledger(redis))), delivery(video, "r1"))
    hook = DownloadHook(storage, claims=claims)
    other = stored(hook, delivery(video, "r2"))
    own = stored(hook, delivery(video, "r1"))
    assert (content(own), content(other)) == ("/r1", "/r2")
    # The same after a crash between the file and its record, and with the claim expired.
    redis.flushall()
    assert stored(hook, delivery(video, "r1", version="?again")) == f"{storage}/orders/Same-name-r1.mp4"
    assert (content(own), content(other)) == ("/r1", "/r2")


def test_the_steps_of_a_claim_expire(claims: FileClaims, redis: Redis) -> None:
    assert claims.claim("file:///v/a.mp4", "r1", taken=False)
    (key,) = redis.keys("*")
    redis.expire(key, 10)
    assert claims.claim("file:///v/a.mp4", "r1", taken=True)
    assert redis.ttl(key) > 86_400
    assert not claims.claim("file:///v/a.mp4", "r2", taken=True)
    assert not claims.claim("file:///v/a.mp4", "r2", taken=False)
    assert not claims.claim("file:///v/b.mp4", "r2", taken=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "videos").mkdir()
    (tmp_path / "outside").mkdir()
    return tmp_path / "videos"


def to_folder(root: Path) -> None:
    (root / "orders").symlink_to(root.parent / "outside")


def to_inner_folder(root: Path) -> None:
    (root / "elsewhere").mkdir()
    (root / "orders").symlink_to(root / "elsewhere")


def to_nothing(root: Path) -> None:
    (root / "orders").symlink_to(root.parent / "outside" / "new")


@pytest.mark.parametrize("plant", [to_folder, to_inner_folder, to_nothing])
@pytest.mark.parametrize("way", ["path", "url"])
def test_a_link_below_the_storage_is_not_followed(
    root: Path, claims: FileClaims, video: str, plant: Callable[[Path], None], way: str
) -> None:
    plant(root)
    spec = {"path": "orders/new/{id}.mp4"} if way == "path" else {"url": f"{root.as_uri()}/orders/new"}
    with pytest.raises(HookFailed, match="orders is a symbolic link") as caught:
        stored(DownloadHook(root.as_uri(), claims=claims), delivery(video, "r1"), {"type": "download", **spec})
    assert not caught.value.permanent
    assert list((root.parent / "outside").iterdir()) == []


def test_a_link_under_the_files_own_name_is_not_written_through(root: Path, claims: FileClaims, video: str) -> None:
    foreign = root.parent / "outside" / "precious"
    foreign.write_text("mine")
    (root / "r1.mp4").symlink_to(foreign)
    (root / "r2.mp4").symlink_to(root.parent / "outside" / "new")
    hook = DownloadHook(root.as_uri(), claims=claims)
    for render_id in ("r1", "r2"):
        url = stored(hook, delivery(video, render_id), {"type": "download"})
        assert url == f"{root.as_uri()}/{render_id}-2.mp4"
    # A link that is planted later, in place of the render's own file, is replaced itself.
    (root / "r1-2.mp4").unlink()
    (root / "r1-2.mp4").symlink_to(foreign)
    assert stored(hook, delivery(video, "r1"), {"type": "download"}) == f"{root.as_uri()}/r1-2.mp4"
    assert not (root / "r1-2.mp4").is_symlink()
    assert [one.name for one in (root.parent / "outside").iterdir()] == ["precious"]
    assert foreign.read_text() == "mine"


def test_a_folder_that_becomes_a_link_midway_changes_nothing(root: Path, claims: FileClaims, serve: Any) -> None:
    half, planted = threading.Event(), threading.Event()

    def pause(request: Any) -> None:
        request.reply(200, b"half", Content_Length=8)
        half.set()
        planted.wait(60)
        request.wfile.write(b"half")

    def deliver() -> None:
        spec = {"type": "download", "path": "orders/{id}.mp4"}
        DownloadHook(root.as_uri(), claims=claims).deliver(spec, delivery(serve(pause).url, "r1"))

    thread = threading.Thread(target=deliver)
    thread.start()
    assert half.wait(60)
    until(lambda: list(root.glob("orders/.*.part")), what="the partial file")
    (root / "orders").rename(root / "moved")
    to_folder(root)
    planted.set()
    thread.join()
    assert list((root.parent / "outside").iterdir()) == []
    assert (root / "moved" / "r1.mp4").read_bytes() == b"halfhalf"


def test_the_storage_itself_may_be_a_link_of_the_operator(tmp_path: Path, claims: FileClaims, video: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "videos").symlink_to(tmp_path / "disk")
    stored(DownloadHook((tmp_path / "videos").as_uri(), claims=claims), delivery(video, "r1"))
    assert (tmp_path / "disk" / "orders" / "Same-name.mp4").read_bytes() == b"/r1"


def test_files_and_folders_are_not_for_everybody(tmp_path: Path, claims: FileClaims, video: str) -> None:
    before = os.umask(0)
    try:
        stored(DownloadHook((tmp_path / "videos").as_uri(), claims=claims), delivery(video, "r1"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "videos").rglob("*")}
    assert modes == {"orders": 0o750, "Same-name.mp4": 0o640}
    assert stat.S_IMODE((tmp_path / "videos").stat().st_mode) == 0o750
