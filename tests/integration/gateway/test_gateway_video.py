"""The video of a render, from the storage: byte ranges, names, who may see it, and readers that take nothing."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness import until
from harness.ledger import LedgerDriver
from renderline.gateway.api_keys import ApiKeys
from renderline.gateway.file_answer import READERS

SMALL = bytes(range(256)) * 40
LARGE = b"0123456789abcdef" * (1 << 19)
ONE, OTHER, FOREIGN = "a" * 32, "b" * 32, "c" * 32


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("storage")
    (folder / "tenants/acme").mkdir(parents=True)
    (folder / "tenants/globex").mkdir()
    for name, content in (("small.mp4", SMALL), ("large.mp4", LARGE), ("sound.mp3", SMALL), ("page.html", b"<script>")):
        (folder / "tenants/acme" / name).write_bytes(content)
    (folder / "tenants/globex/theirs.mp4").write_bytes(SMALL)
    (folder.parent / "secret.mp4").write_bytes(b"secret")
    (folder / "tenants/acme/link.mp4").symlink_to(folder.parent / "secret.mp4")
    return folder


@pytest.fixture(scope="module")
def gateway_options(storage: Path) -> dict[str, Any]:
    return {"RENDERLINE_API_KEYS_REQUIRED": "true", "RENDERLINE_STORAGE_URL": storage.as_uri()}


@pytest.fixture
def key(redis) -> dict[str, str]:
    return {"Authorization": f"Bearer {ApiKeys(redis).create('player', ['read'], tenant='acme')}"}


@pytest.fixture
def stored(redis, storage, gateway, key):
    """Return a function that asks for the video of a render whose file has this name."""
    driver = LedgerDriver(redis)
    driver.accept(ONE, tenant="acme")

    def ask(name: str = "tenants/acme/small.mp4", method: str = "GET", query: str = "", **headers: str) -> Any:
        redis.hset(f"renderline:render:{ONE}", "stored_url", f"{storage.as_uri()}/{name}")
        asked = {**key, **{header.replace("_", "-"): value for header, value in headers.items()}}
        return gateway.ask(method, f"/renders/{ONE}/video{query}", headers=asked)

    return ask


@pytest.mark.parametrize(
    ("wanted", "status", "content", "described"),
    [
        (None, 200, SMALL, None),
        ("bytes=0-", 206, SMALL, f"bytes 0-{len(SMALL) - 1}/{len(SMALL)}"),
        ("bytes=10-19", 206, SMALL[10:20], f"bytes 10-19/{len(SMALL)}"),
        ("bytes=-5", 206, SMALL[-5:], f"bytes {len(SMALL) - 5}-{len(SMALL) - 1}/{len(SMALL)}"),
        ("bytes=99999999-", 416, b"", f"bytes */{len(SMALL)}"),
        ("bytes=0-1,3-4", 200, SMALL, None),
        ("nonsense", 200, SMALL, None),
    ],
)
def test_ranges(stored, wanted, status, content, described):
    answer = stored(**({"Range": wanted} if wanted else {}))
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, described)
    assert answer.content == content
    assert answer.headers["Content-Length"] == str(len(content))
    assert answer.headers["Accept-Ranges"] == "bytes"
    if status != 416:
        assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_large_file_is_sent_as_it_is_read(stored):
    whole = stored("tenants/acme/large.mp4")
    assert whole.content == LARGE
    tail = stored("tenants/acme/large.mp4", Range="bytes=1000001-")
    assert (tail.status_code, tail.content == LARGE[1000001:]) == (206, True)


def test_head_says_how_much_there_is(stored):
    for name, content in (("small", SMALL), ("large", LARGE)):
        answer = stored(f"tenants/acme/{name}.mp4", "HEAD", Range="bytes=0-1")
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Length"] == str(len(content))
        assert answer.headers["Content-Type"] == "video/mp4"


def test_a_browser_asks_only_for_what_has_changed(stored):
    tag = stored().headers["ETag"]
    unchanged = stored(If_None_Match=tag)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert stored(Range="bytes=0-1", If_Range=tag).status_code == 206
    for changed in ('"other"', f"W/{tag}", "Sun, 06 Nov 1994 08:49:37 GMT"):
        answer = stored(Range="bytes=0-1", If_Range=changed)
        assert (answer.status_code, answer.content) == (200, SMALL), changed
    assert stored("tenants/acme/large.mp4").headers["ETag"] != tag


def test_the_name_and_the_type_of_the_file(stored):
    assert stored().headers["Content-Disposition"].startswith('inline; filename="small.mp4"')
    download = stored(query="?download=1").headers["Content-Disposition"]
    assert download == "attachment; filename=\"small.mp4\"; filename*=UTF-8''small.mp4"
    assert stored("tenants/acme/sound.mp3").headers["Content-Type"] == "audio/mpeg"
    page = stored("tenants/acme/page.html")
    assert page.headers["Content-Type"] == "application/octet-stream"
    assert page.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "name",
    [
        "tenants/acme/missing.mp4",
        "tenants/acme/link.mp4",
        "tenants/acme/../globex/theirs.mp4",
        "tenants/acme/%2e%2e/globex/theirs.mp4",
        "tenants/acme/..%2fglobex%2ftheirs.mp4",
        "tenants/globex/theirs.mp4",
        "../secret.mp4",
        "tenants/acme",
    ],
)
def test_nothing_but_the_tenants_own_files_is_sent(stored, name):
    answer = stored(name)
    assert answer.status_code == 404
    assert b"secret" not in answer.content
    assert SMALL[:20] not in answer.content


@pytest.mark.parametrize("url", ["https://127.0.0.1:9/a.mp4", "file:///etc/passwd", "memory://x/a.mp4", "x", ""])
def test_a_url_elsewhere_is_not_fetched(stored, redis, gateway, key, url):
    stored()
    redis.hset(f"renderline:render:{ONE}", "stored_url", url)
    assert gateway.ask("GET", f"/renders/{ONE}/video", headers=key).status_code == 404


def test_an_output_has_its_own_file(stored, redis, storage, gateway, key):
    stored()
    url = f"{storage.as_uri()}/tenants/acme/large.mp4"
    redis.hset(
        f"renderline:render:{ONE}",
        mapping={"outputs": '[{"language": "de"}, {"language": "fr"}]', "stored_outputs": f'{{"1": "{url}"}}'},
    )
    asked = {
        number: gateway.ask("HEAD", f"/renders/{ONE}/video", params={"output": number}, headers=key)
        for number in ("1", "0", "2", "-1", "x", "99999999999", "\u0661")
    }
    assert asked.pop("1").headers["Content-Length"] == str(len(LARGE))
    assert {answer.status_code for answer in asked.values()} == {404}


def test_another_tenant_and_nobody_get_nothing(stored, redis, gateway):
    stored()
    theirs = {"Authorization": f"Bearer {ApiKeys(redis).create('other', ['admin'], tenant='globex')}"}
    foreign = gateway.ask("GET", f"/renders/{ONE}/video", headers=theirs)
    unknown = gateway.ask("GET", f"/renders/{OTHER}/video", headers=theirs)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.text == unknown.text
    for headers in ({}, {"Authorization": "Bearer rl_000000000000_" + "x" * 43}):
        answer = gateway.ask("GET", f"/renders/{ONE}/video", headers=headers, allow_redirects=False)
        assert answer.status_code in (303, 401)
        assert SMALL[:20] not in answer.content


def test_readers_that_take_nothing_cost_their_tenant_alone(stored, redis, storage, gateway, key):
    """Half of the places are for one tenant; a reader that goes away frees its own."""
    stored("tenants/acme/large.mp4", "HEAD")
    place = urlsplit(gateway.url)
    header = f"GET /renders/{ONE}/video HTTP/1.1\r\nHost: x\r\nAuthorization: {key['Authorization']}\r\n\r\n"
    readers = []
    try:
        for _ in range(READERS // 2):
            readers.append(socket.create_connection((place.hostname, place.port)))
            readers[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            readers[-1].sendall(header.encode())
            assert readers[-1].recv(12) == b"HTTP/1.1 200"
        more = stored("tenants/acme/large.mp4")
        assert (more.status_code, more.headers["Retry-After"]) == (429, "1")
        assert stored("tenants/acme/small.mp4").status_code == 200
        driver = LedgerDriver(redis)
        driver.accept(FOREIGN, tenant="globex")
        redis.hset(f"renderline:render:{FOREIGN}", "stored_url", f"{storage.as_uri()}/tenants/globex/theirs.mp4")
        theirs = {"Authorization": f"Bearer {ApiKeys(redis).create('other', ['read'], tenant='globex')}"}
        assert gateway.ask("GET", f"/renders/{FOREIGN}/video", headers=theirs).status_code == 200
    finally:
        for reader in readers:
            reader.close()
    until(lambda: stored("tenants/acme/large.mp4").status_code == 200, what="a place for a reader")
