"""Videos on their way from real servers into every storage there is."""

import gzip
import itertools
import resource
import socket
import threading
import traceback
import tracemalloc
import urllib.parse
import urllib.request

import fsspec
import pytest
from structlog.testing import capture_logs

from renderline.hooks import Delivery, DownloadHook, HookFailed, download
from renderline.ledger import FileClaims, Ledger, Outage

VIDEO = bytes(range(256)) * 2000
BLOCK = b"\x00" * 65536


class Store:
    """A storage under test: its URL, and what it holds, read past the code under test."""

    def __init__(self, url, filesystem, root):
        self.url = url
        self.filesystem = filesystem
        self.root = root

    def files(self):
        """Return every file's path below the root, drafts included, with its bytes."""
        if not self.filesystem.exists(self.root):
            return {}
        return {path.removeprefix(self.root).lstrip("/"): self.filesystem.cat_file(path)
                for path in self.filesystem.find(self.root)}  # fmt: skip


_numbers = itertools.count()


@pytest.fixture(params=["file", "memory"])
def store(request, tmp_path):
    if request.param == "file":
        yield Store(f"file://{tmp_path}/videos", fsspec.filesystem("file"), f"{tmp_path}/videos")
        return
    name = f"hooks-{next(_numbers)}"
    filesystem = fsspec.filesystem("memory")
    yield Store(f"memory://{name}/videos", filesystem, f"/{name}/videos")
    if filesystem.exists(f"/{name}"):
        filesystem.rm(f"/{name}", recursive=True)


def completed(link, **fields):
    record = {"id": "r1", "kind": "project", "name": "Welcome", "download_url": link, **fields}
    return Delivery("render.completed", "msg_r1_0", 1_795_170_245.0, record)


def link(server):
    return f"{server.url}/video.mp4?signature=topsecret"


def failure(store, server, hook=None, **settings):
    """Deliver, and return the failure, after a check that nothing was stored and nothing secret was shown."""
    before = store.files()
    with pytest.raises(HookFailed) as caught:
        DownloadHook(store.url, **settings).deliver(hook or {"type": "download"}, completed(link(server)))
    assert store.files() == before
    assert "topsecret" not in "".join(traceback.format_exception(caught.value))
    return caught.value


def test_stores_the_video(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO, Content_Type="video/mp4"))
    outcome = DownloadHook(store.url).deliver({"type": "download"}, completed(link(server)))
    assert outcome == {"stored_url": f"{store.url}/r1.mp4"}
    assert store.files() == {"r1.mp4": VIDEO}
    (request,) = server.asked
    assert request.path == "/video.mp4?signature=topsecret"
    assert request.headers["Accept-Encoding"] == "identity"
    assert not {"Authorization", "Cookie"} & set(request.headers)


@pytest.fixture
def claims(redis):
    return FileClaims(Ledger(redis))


def test_a_repeat_gives_the_same_and_replaces_what_was_there(serve, store, claims):
    bodies = iter([b"an older and longer file", b"the video", b"the video"])
    server = serve(lambda request: request.reply(200, next(bodies)))
    hook = DownloadHook(store.url, claims=claims)
    outcomes = [hook.deliver({"type": "download"}, completed(link(server))) for _ in range(3)]
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert store.files() == {"r1.mp4": b"the video"}


@pytest.mark.parametrize(
    ("path", "content_type", "stored"),
    [
        ("/speech.wav", "audio/x-wav", "r1.wav"),
        # Object stores often say nothing about the content.
        ("/Speech.WAV", "binary/octet-stream", "r1.wav"),
        ("/speech.mp3", None, "r1.mp3"),
        ("/files/17", "audio/mpeg; charset=binary", "r1.mp3"),
        ("/files/17", "audio/wave", "r1.wav"),
        ("/video.mp4", "audio/wav", "r1.mp4"),
        ("/video.php", "video/webm", "r1.webm"),
        ("/files/17", "application/octet-stream", "r1.mp4"),
        ("/files/17.exe", None, "r1.mp4"),
    ],
)
def test_the_file_ends_as_its_content_does(serve, store, path, content_type, stored):
    server = serve(lambda request: request.reply(200, VIDEO, Content_Type=content_type))
    outcome = DownloadHook(store.url).deliver({"type": "download"}, completed(f"{server.url}{path}?signature=x"))
    assert outcome == {"stored_url": f"{store.url}/{stored}"}
    assert store.files() == {stored: VIDEO}


def test_the_ending_may_be_asked_for_in_an_own_path(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO, Content_Type="audio/wav"))
    for hook in ({"path": "{name}.{ext}"}, {"path": "{id}.mp4"}):
        DownloadHook(store.url).deliver({"type": "download", **hook}, completed(f"{server.url}/x", name="Morning"))
    assert store.files() == {"Morning.wav": VIDEO, "r1.mp4": VIDEO}


def test_own_path_and_folders_are_made(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO))
    hook = {"type": "download", "path": "orders/{name}/{kind} {id}.mp4"}
    outcome = DownloadHook(store.url).deliver(hook, completed(link(server), name="Köln & more"))
    assert store.files() == {"orders/Köln-more/project r1.mp4": VIDEO}
    assert urllib.parse.unquote(outcome["stored_url"]) == f"{store.url}/orders/Köln-more/project r1.mp4"


def test_own_url_below_the_storage(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO))
    hook = {"type": "download", "url": f"{store.url}/team"}
    assert DownloadHook(store.url).deliver(hook, completed(link(server))) == {"stored_url": f"{store.url}/team/r1.mp4"}
    assert store.files() == {"team/r1.mp4": VIDEO}


@pytest.mark.parametrize("written", ["my videos 100%", "my%20videos%20100%25"])
def test_spaces_and_percent_signs_in_a_file_url(serve, tmp_path, written):
    server = serve(lambda request: request.reply(200, VIDEO))
    hook = {"type": "download", "path": "{id} 50%25#1.mp4"}
    outcome = DownloadHook(f"file://{tmp_path}/{written}").deliver(hook, completed(link(server)))
    path = tmp_path / "my videos 100%" / "r1 50%25#1.mp4"
    assert path.read_bytes() == VIDEO
    assert outcome == {"stored_url": path.as_uri()}
    with urllib.request.urlopen(outcome["stored_url"]) as stored:
        assert stored.read() == VIDEO


def test_redirects_are_followed_without_credentials(serve, store):
    target = serve(lambda request: request.reply(200, VIDEO))
    start = serve(lambda request: request.reply(302, Location=link(target)))
    hop = start.url.replace("http://", "http://user:pw@")
    DownloadHook(store.url).deliver({"type": "download"}, completed(f"{hop}/video.mp4"))
    assert store.files() == {"r1.mp4": VIDEO}
    for request in start.asked + target.asked:
        assert "Authorization" not in request.headers


def test_the_environment_and_earlier_answers_do_not_reach_a_download(serve, store, monkeypatch, tmp_path):
    proxy = serve(lambda request: request.reply(418))
    server = serve(lambda request: request.reply(200, VIDEO, Set_Cookie="seen=1; Path=/"))
    (tmp_path / "netrc").write_text("default login user password topsecret")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    hook = DownloadHook(store.url)
    for _ in range(2):
        hook.deliver({"type": "download"}, completed(link(server)))
    assert proxy.asked == []
    for request in server.asked:
        assert not {"Authorization", "Cookie"} & set(request.headers)


def test_redirects_have_an_end(serve, store):
    server = serve(lambda request: request.reply(302, Location="/again"))
    assert "redirects too often" in str(failure(store, server))
    assert len(server.asked) == 6


def test_chunked_answers(serve, store):
    def chunked(request):
        request.reply(200, Content_Length=None, Transfer_Encoding="chunked")
        for start in range(0, len(VIDEO), 100_000):
            part = VIDEO[start : start + 100_000]
            request.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        request.wfile.write(b"0\r\n\r\n")

    DownloadHook(store.url).deliver({"type": "download"}, completed(link(serve(chunked))))
    assert store.files() == {"r1.mp4": VIDEO}


def test_an_answer_that_was_compressed_all_the_same(serve, store):
    """Also where a read brings too little to unpack anything yet."""
    packed = gzip.compress(VIDEO)

    def trickle(request):
        request.reply(200, Content_Encoding="gzip", Content_Length=len(packed))
        for start in range(0, len(packed), 7):
            request.wfile.write(packed[start : start + 7])

    server = serve(trickle)
    DownloadHook(store.url).deliver({"type": "download"}, completed(link(server)))
    assert store.files() == {"r1.mp4": VIDEO}


def test_an_answer_without_a_length(serve, store):
    def until_closed(request):
        request.reply(200, VIDEO, Content_Length=None, Connection="close")
        request.close_connection = True

    DownloadHook(store.url).deliver({"type": "download"}, completed(link(serve(until_closed))))
    assert store.files() == {"r1.mp4": VIDEO}


def break_off(request):
    """Announce more than is sent."""
    request.reply(200, VIDEO, Content_Length=len(VIDEO) + 1)
    request.connection.shutdown(socket.SHUT_RDWR)


def break_chunks_off(request):
    """End in the midst of a chunk."""
    request.reply(200, b"40000\r\n" + VIDEO[:1000], Content_Length=None, Transfer_Encoding="chunked")
    request.connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (break_off, "broke off after"),
        (break_chunks_off, "broke off after"),
        (lambda request: request.reply(200, b""), "sent an empty file"),
        (lambda request: request.reply(200, b"<html>", Content_Type="text/html; charset=utf-8"), "sent a page"),
        (lambda request: request.reply(200, b"not gzip", Content_Encoding="gzip"), "broke off after"),
        (lambda request: request.reply(206, VIDEO), "answered 206"),
        (lambda request: request.reply(204), "answered 204"),
        (
            lambda request: request.reply(403, b"expired"),
            "answered 403 instead of the video; the link may have expired",
        ),
        (lambda request: request.reply(500), "answered 500"),
        (lambda request: request.connection.shutdown(socket.SHUT_RDWR), "was not reached"),
    ],
)
def test_an_incomplete_download_leaves_no_file_and_is_retried(serve, store, script, says):
    failed = failure(store, serve(script))
    assert says in str(failed)
    assert not failed.permanent


def test_a_failed_repeat_leaves_the_earlier_file(serve, store):
    scripts = iter([lambda request: request.reply(200, b"whole"), break_off])
    server = serve(lambda request: next(scripts)(request))
    DownloadHook(store.url).deliver({"type": "download"}, completed(link(server)))
    failure(store, server)
    assert store.files() == {"r1.mp4": b"whole"}


def test_retry_after_is_passed_on(serve, store):
    assert failure(store, serve(lambda request: request.reply(503, Retry_After="9"))).retry_after == 9.0


@pytest.mark.parametrize("announced", [True, False])
def test_larger_than_the_limit(serve, store, announced):
    def endless(request):
        request.reply(200, Content_Length=1 << 40 if announced else None)
        while not request.server.ended.is_set():
            request.wfile.write(BLOCK)

    failed = failure(store, serve(endless), max_bytes=100_000)
    assert failed.permanent
    assert "limit of 100000 bytes" in str(failed)


def test_exactly_the_limit(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO))
    DownloadHook(store.url, max_bytes=len(VIDEO)).deliver({"type": "download"}, completed(link(server)))
    assert store.files() == {"r1.mp4": VIDEO}


def test_a_source_that_sends_too_slowly(serve, store):
    """It is given up in the midst: no read waits until a whole chunk has come."""
    sent = []

    def dribble(request):
        request.reply(200, Content_Length=200)
        for _ in range(200):
            if request.server.ended.wait(0.02):
                return
            request.wfile.write(b"x")
            sent.append(b"x")

    assert "too slowly" in str(failure(store, serve(dribble), total_timeout=0.2))
    assert len(sent) < 200


def test_a_source_that_stalls(serve, store):
    def silent(request):
        request.reply(200, b"x", Content_Length=10_000)
        request.server.ended.wait(60)

    assert "did not answer in time" in str(failure(store, serve(silent), read_timeout=0.2))


def test_a_path_that_is_a_folder(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO))
    DownloadHook(store.url).deliver({"type": "download", "path": "a/b.mp4"}, completed(link(server)))
    failed = failure(store, server, {"type": "download", "path": "a"})
    assert "a is a folder" in str(failed)
    assert "RENDERLINE_STORAGE_URL" in str(failed)


def test_two_deliveries_at_once_store_one_whole_file(serve, store, claims):
    """Both are in the midst of the body before either may end; the later one to end has the last word."""
    midway = threading.Barrier(2, timeout=60)
    letters = iter(b"ab")

    def meet(request):
        body = bytes([next(letters)]) * 500_000
        request.reply(200, body[:250_000], Content_Length=len(body))
        midway.wait()
        request.wfile.write(body[250_000:])

    server = serve(meet)
    hook = DownloadHook(store.url, claims=claims)
    threads = [threading.Thread(target=hook.deliver, args=({"type": "download"}, completed(link(server))))
               for _ in range(2)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    files = store.files()
    assert list(files) == ["r1.mp4"]
    assert files["r1.mp4"] in (b"a" * 500_000, b"b" * 500_000)


def test_nothing_appears_under_the_name_before_the_file_is_whole(serve, store):
    half, go_on = threading.Event(), threading.Event()

    def pause(request):
        request.reply(200, VIDEO[:300_000], Content_Length=len(VIDEO))
        half.set()
        go_on.wait(60)
        request.wfile.write(VIDEO[300_000:])

    server = serve(pause)
    thread = threading.Thread(
        target=DownloadHook(store.url).deliver, args=({"type": "download"}, completed(link(server)))
    )
    thread.start()
    assert half.wait(60)
    assert "r1.mp4" not in store.files()
    go_on.set()
    thread.join()
    assert store.files() == {"r1.mp4": VIDEO}


def test_a_large_video_is_never_whole_in_memory(serve, tmp_path):
    blocks = 1024  # 64 MiB

    def large(request):
        request.reply(200, Content_Length=len(BLOCK) * blocks)
        for _ in range(blocks):
            request.wfile.write(BLOCK)

    server = serve(large)
    hook = DownloadHook(f"file://{tmp_path}")
    tracemalloc.start()
    try:
        hook.deliver({"type": "download"}, completed(link(server)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (tmp_path / "r1.mp4").stat().st_size == len(BLOCK) * blocks
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("address", [None, "", 7, "ftp://example.com/v.mp4", "file:///etc/passwd", "/etc/passwd"])
def test_a_record_without_an_http_link_is_permanent(store, address):
    with pytest.raises(HookFailed, match="no http download link") as caught:
        DownloadHook(store.url).deliver({"type": "download"}, completed(address))
    assert caught.value.permanent
    assert store.files() == {}


def test_private_addresses_when_they_are_not_allowed(serve, store):
    server = serve(lambda request: request.reply(200, VIDEO))
    assert failure(store, server, allow_private=False).permanent
    assert server.connections == []


def test_a_private_address_is_the_vendors_own_or_refused(serve, store):
    """What another account's vendor may serve, and where the own vendor's link redirects, is not asked for."""
    vendor = serve(lambda request: request.reply(200, VIDEO))
    other = serve(lambda request: request.reply(302, Location=link(vendor)))
    hosts = {"own": {vendor.url.removeprefix("http://")}, "other": {other.url.removeprefix("http://")}}
    hook = DownloadHook(store.url, allow_private=False, vendor_hosts=hosts)
    for server, account in ((vendor, "other"), (vendor, ""), (other, "own"), (other, "other")):
        with pytest.raises(HookFailed):
            hook.deliver({"type": "download"}, completed(link(server), account=account))
    assert vendor.connections == []
    assert store.files() == {}
    hook.deliver({"type": "download"}, completed(link(vendor), account="own"))
    assert store.files() == {"r1.mp4": VIDEO}


def test_settings_that_changed_since_the_request_are_checked_again(store):
    hook = {"type": "download", "url": "file:///etc" if store.url.startswith("file") else "file:///tmp"}
    with pytest.raises(HookFailed, match="RENDERLINE_STORAGE_URL") as caught:
        DownloadHook(store.url).deliver(hook, completed("http://127.0.0.1:9/v.mp4"))
    assert caught.value.permanent


def test_a_disk_that_takes_nothing_names_the_variable_and_is_worth_a_retry(serve, tmp_path):
    (tmp_path / "videos").write_text("a file where the folder should be")
    server = serve(lambda request: request.reply(200, VIDEO))
    with pytest.raises(HookFailed, match="RENDERLINE_STORAGE_URL") as caught:
        DownloadHook(f"file://{tmp_path}/videos").deliver({"type": "download"}, completed(link(server)))
    assert not caught.value.permanent
    assert "topsecret" not in "".join(traceback.format_exception(caught.value))


def test_a_storage_that_takes_nothing_is_two_warnings(serve, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_STORAGE", Outage("the storage of videos"))
    folder = tmp_path / "videos"
    folder.write_text("a file where the folder should be")
    server = serve(lambda request: request.reply(200, VIDEO))
    hook = DownloadHook(f"file://{folder}")
    with capture_logs() as lines:
        for _ in range(3):
            with pytest.raises(HookFailed) as caught:
                hook.deliver({"type": "download"}, completed(link(server)))
            assert caught.value.logged
        folder.unlink()
        hook.deliver({"type": "download"}, completed(link(server)))
    found = [(line["event"], line["log_level"]) for line in lines if "outage" in line["event"]]
    assert found == [("outage began", "warning"), ("outage ended", "warning")]


def test_a_disk_that_is_full_midway_leaves_no_draft(serve, tmp_path):
    """A limit on the size of files stands in for the full disk: both refuse a write after others went well."""
    server = serve(lambda request: request.reply(200, VIDEO))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(HookFailed, match=r"did not take r1\.mp4: OSError"):
            DownloadHook(f"file://{tmp_path}").deliver({"type": "download"}, completed(link(server)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
