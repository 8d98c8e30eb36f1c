"""Files that requests name by a URL are fetched within limits, checked, and deleted afterwards."""

from __future__ import annotations

import gc
import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.documents import document
from renderline.kinds import RequestUnfit
from renderline.submission.files import LONGEST, RunFiles
from renderline.submission.plan_run import Leases
from renderline.uploads import Fetcher, FileOpener, SourceUnavailable, UploadRefused, UploadStore, UploadTooLarge

DECK = document("pptx")
SLIDES = ("pdf", "pptx", "ppt")
SECRET = "token=topsecret"


def fetcher(**options: Any) -> Fetcher:
    return Fetcher(**{"max_bytes": 1_000_000, "user_agent": "renderline", "allow_private": True, **options})


def fetch(url: str, **options: Any) -> tuple[str, bytes]:
    with fetcher(**options).get(url) as file:
        return file.name, b"".join(file.chunks)


def test_a_file_is_fetched_with_its_name(serve: Any) -> None:
    server = serve(lambda request: request.reply(200, DECK))
    assert fetch(f"{server.url}/a%20b/My%20deck.pptx?{SECRET}") == ("My-deck.pptx", DECK)


def test_a_url_without_a_name_takes_the_ending_of_its_content_type(serve: Any) -> None:
    server = serve(lambda request: request.reply(200, b"%PDF-1.7", Content_Type="application/pdf; charset=x"))
    assert fetch(f"{server.url}/download?id=3")[0] == "download.pdf"


def test_a_redirect_is_followed_a_few_times(serve: Any) -> None:
    def script(request: Any) -> None:
        if request.path == "/deck.pptx":
            request.reply(302, b"", Location="/there/other.pptx")
        else:
            request.reply(200, DECK)

    assert fetch(f"{serve(script).url}/deck.pptx")[1] == DECK
    endless = serve(lambda request: request.reply(302, b"", Location=request.path))
    with pytest.raises(UploadRefused, match="redirects too often"):
        fetch(f"{endless.url}/deck.pptx?{SECRET}")


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        (lambda request: request.reply(404), UploadRefused, "answered 404"),
        (lambda request: request.reply(403), UploadRefused, "answered 403"),
        (lambda request: request.reply(503), SourceUnavailable, "answered 503"),
        (lambda request: request.reply(429), SourceUnavailable, "answered 429"),
        (lambda request: request.reply(200, b"", Content_Length=10**12), UploadTooLarge, "larger than 1000000 bytes"),
        (lambda request: request.reply(200, b"x" * 1_000_001, Content_Length=None, Connection="close"), UploadTooLarge,
         "larger than 1000000 bytes"),
        (lambda request: request.reply(200, b"half", Content_Length=100, Connection="close"), SourceUnavailable,
         "broke off|before the answer was complete"),
    ],
)  # fmt: skip
def test_what_a_source_does_wrong_is_said_without_the_url(
    serve: Any, answer: Callable[[Any], None], error: type[Exception], said: str
) -> None:
    def script(request: Any) -> None:
        answer(request)
        request.close_connection = True

    server = serve(script)
    with pytest.raises(error, match=said) as caught:
        fetch(f"{server.url}/deck.pptx?{SECRET}")
    assert "topsecret" not in str(caught.value)


def test_a_source_that_drips_is_given_up(serve: Any) -> None:
    def script(request: Any) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        while not request.server.ended.wait(0.02):
            request.wfile.write(b"x")

    began = time.monotonic()
    with pytest.raises(SourceUnavailable):
        fetch(f"{serve(script).url}/deck.pptx", total_timeout=0.3)
    assert time.monotonic() - began < 2


def test_a_private_address_is_not_connected_to(serve: Any) -> None:
    server = serve(lambda request: request.reply(200, DECK))
    with pytest.raises(UploadRefused, match="private address"):
        fetch(f"{server.url}/deck.pptx", allow_private=False)
    assert not server.connections


def test_a_source_is_asked_three_times(serve: Any) -> None:
    answers = iter([503, 503, 200])
    server = serve(lambda request: request.reply(next(answers), DECK))
    kept: list[int] = []
    opener = FileOpener(None, fetcher(), sleep=lambda _: None)
    # The door takes https alone; what follows is the same for both.
    with pytest.raises(UploadRefused, match="https URL"):
        opener.open(f"{server.url}/deck.pptx", tenant="default", endings=SLIDES)
    with pytest.raises(UploadRefused, match=r"was not reached.*3 attempts"):
        opener.open("https://example.invalid/deck.pptx", tenant="default", endings=SLIDES, keep=lambda: kept.append(1))
    assert kept


def store(tmp_path: Path) -> UploadStore:
    return UploadStore(tmp_path.as_uri(), max_bytes=100 << 20)


def test_an_upload_is_opened_as_it_was_stored_and_read_again(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    reference = str(uploads.put("deck.pptx", iter([DECK]), tenant="acme").reference)
    opened = FileOpener(uploads, fetcher()).open(reference, tenant="acme", endings=SLIDES)
    assert (opened.name, opened.size) == ("deck.pptx", len(DECK))
    assert opened.content_type.endswith("presentationml.presentation")
    with opened.open() as first, opened.open() as second:
        assert first.read(10) == DECK[:10]
        assert second.read() == DECK
        assert first.read() == DECK[10:]
        assert os.fstat(first.fileno()).st_size == len(DECK)


def test_a_file_of_another_tenant_is_missing(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    reference = str(uploads.put("deck.pptx", iter([DECK]), tenant="acme").reference)
    with pytest.raises(UploadRefused, match=r"no file deck\.pptx .* of tenant globex is stored"):
        FileOpener(uploads, fetcher()).open(reference, tenant="globex", endings=SLIDES)


def test_a_file_that_was_changed_in_the_storage_is_not_sent(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    reference = uploads.put("deck.pptx", iter([DECK]), tenant="default").reference
    (tmp_path / "tenants" / "default" / reference.sha256).write_bytes(document("pptx", "two"))
    with pytest.raises(UploadRefused, match="has changed in the storage"):
        FileOpener(uploads, fetcher()).open(str(reference), tenant="default", endings=SLIDES)


def test_an_opened_file_leaves_nothing_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uploads = store(tmp_path)
    reference = str(uploads.put("deck.pptx", iter([DECK]), tenant="default").reference)
    opened = FileOpener(uploads, fetcher()).open(reference, tenant="default", endings=SLIDES)
    descriptor = opened.spool.fileno()
    assert os.fstat(descriptor).st_nlink == 0
    del opened
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_a_large_upload_is_opened_and_read_in_little_memory(tmp_path: Path) -> None:
    uploads = store(tmp_path)
    block = b"z" * (1 << 18)
    reference = str(uploads.put("large.pdf", [b"%PDF-1.7\n", *[block] * 200], tenant="default").reference)
    tracemalloc.start()
    opened = FileOpener(uploads, fetcher()).open(reference, tenant="default", endings=SLIDES)
    with opened.open() as file:
        while file.read(1 << 16):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened.size == 9 + 200 * (1 << 18)
    assert peak < 4 << 20


def test_files_that_took_too_long_together_are_not_begun_again(serve: Any) -> None:
    server = serve(lambda request: request.reply(200, DECK))
    opener = FileOpener(None, fetcher(allow_private=False))
    run: Any = None  # it is asked for nothing
    files = RunFiles(run, run, opener, Leases(10.0, 100.0), _began=time.monotonic() - LONGEST - 1)
    with pytest.raises(RequestUnfit, match=r"files\.3: .*longer than 900 s") as caught:
        files.open(f"{server.url}/deck.pptx", path="files.3")
    assert caught.value.path == "files.3"
