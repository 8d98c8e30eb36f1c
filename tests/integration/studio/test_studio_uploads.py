"""Uploads over real HTTP: the form that arrives, files opened anew for each sending, and every way they can break."""

import io
import socket
import time
from dataclasses import dataclass
from typing import Any

import pytest
from scripted_vendor import bad, good, hang_up, no_answer, reply, reset
from werkzeug.formparser import parse_form_data

from renderline.http import boottime, sent_by
from renderline.studio import (
    DubbedVideo,
    OutcomeUnknown,
    PayloadRefused,
    ProjectMissing,
    StudioV3,
    TooLate,
    Upload,
    UploadedDocument,
    UploadUnreadable,
    VendorUnavailable,
)

ROOT = "/api/odin/v3"
ID = "65fa6b07dca2e367461a2925"
ONE, TWO = "token-one-aaaaaaaaaaaaaaaa", "token-two-bbbbbbbbbbbbbbbb"
SLIDES = "application/vnd.openxmlformats-officedocument.presentationml.presentation"


class Source:
    """A file in memory that counts how often it was opened, and knows whether all were closed."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.opened: list[io.BytesIO] = []

    def open(self) -> io.BytesIO:
        self.opened.append(io.BytesIO(self.content))
        return self.opened[-1]

    def upload(self, name: str = "deck.pptx", content_type: str = SLIDES, *, size: int | None = None) -> Upload:
        return Upload(name, len(self.content) if size is None else size, self.open, content_type)

    @property
    def all_closed(self) -> bool:
        return all(one.closed for one in self.opened)


@dataclass
class Arrived:
    """A multipart request as another parser than ours reads it."""

    fields: dict[str, str]
    files: list[tuple[str, str | None, str, bytes]]


def arrived(seen: Any) -> Arrived:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": seen.headers["Content-Type"],
        "CONTENT_LENGTH": seen.headers["Content-Length"],
        "wsgi.input": io.BytesIO(seen.raw),
    }
    assert len(seen.raw) == int(seen.headers["Content-Length"])
    _, fields, files = parse_form_data(environ)
    parts = []
    for name, one in files.items(multi=True):
        with one.stream:
            parts.append((name, one.filename, one.mimetype, one.stream.read()))
    return Arrived(dict(fields.items()), parts)


@pytest.mark.contradiction(22)
def test_slides_arrive_as_a_form_whose_boundary_the_library_names(studio, vendor):
    source = Source(b"PK\x03\x04" + bytes(range(256)) * 400)
    vendor.will(good({"projectId": ID}), good({"projectId": ID}))
    assert studio.create_from_slides(source.upload(), name="Welcome", workspace_id="w1") == ID
    assert studio.create_from_slides(source.upload("a.pdf", "application/pdf"), name="Welcome") == ID
    first, second = vendor.seen
    assert (first.method, first.path, first.headers["Authorization"]) == ("POST", f"{ROOT}/editor/project/pptpdf", ONE)
    assert first.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert "Transfer-Encoding" not in first.headers
    assert arrived(first) == Arrived(
        {"name": "Welcome", "workspaceId": "w1"}, [("file", "deck.pptx", SLIDES, source.content)]
    )
    assert arrived(second) == Arrived({"name": "Welcome"}, [("file", "a.pdf", "application/pdf", source.content)])
    assert source.all_closed


@pytest.mark.parametrize("name", ["발표 자료.pptx", 'a"b.pptx', "a\r\nX-Evil: 1\r\n\r\n.pptx", "a;filename=x.exe.pptx"])
def test_a_files_name_cannot_change_the_form(studio, vendor, name):
    vendor.will(good({"projectId": ID}))
    studio.create_from_slides(Source(b"x").upload(name), name="Welcome")
    found = arrived(vendor.seen[0])
    assert found.fields == {"name": "Welcome"}
    ((field, shown, kind, content),) = found.files
    assert (field, kind, content) == ("file", SLIDES, b"x")
    assert shown is not None
    assert shown.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n") == name


@pytest.mark.parametrize("status", [401, 403])
def test_after_a_token_refresh_the_file_is_sent_again_as_a_whole(studio, vendor, tokens, status):
    source = Source(b"slides" * 10_000)
    vendor.will(bad(1, "token", status=status), good({"projectId": ID}))
    assert studio.create_from_slides(source.upload(), name="Welcome") == ID
    assert tokens.rejected == [ONE]
    assert [one.headers["Authorization"] for one in vendor.seen] == [ONE, TWO]
    assert [arrived(one).files[0][3] for one in vendor.seen] == [source.content] * 2
    assert len(source.opened) == 2
    assert source.all_closed


def test_documents_are_uploaded_under_one_field_and_named_by_the_answer(studio, vendor):
    rows = [{"uri": "1.pdf", "fileName": "a.pdf"}, {"uri": "2.txt"}]
    vendor.will(good({"uploadResults": rows}), good(rows))
    first, second = Source(b"one"), Source(b"")
    uploads = [first.upload("a.pdf", "application/pdf"), second.upload("b.txt", "text/plain")]
    for _ in range(2):
        assert studio.upload_documents(uploads) == [
            UploadedDocument("1.pdf", "a.pdf"),
            UploadedDocument("2.txt", "2.txt"),
        ]
    assert vendor.seen[0].path == f"{ROOT}/automation/docs-to-video/upload-files"
    assert arrived(vendor.seen[0]) == Arrived(
        {}, [("files", "a.pdf", "application/pdf", b"one"), ("files", "b.txt", "text/plain", b"")]
    )


@pytest.mark.parametrize("data", [None, {}, [], [{"uri": "1"}] * 2, [{"fileName": "a.pdf"}]])
def test_an_answer_that_does_not_name_each_document_is_an_unknown_outcome(studio, vendor, data):
    vendor.will(good(data))
    with pytest.raises(OutcomeUnknown):
        studio.upload_documents([Source(b"x").upload()])


def test_no_document_is_no_call(studio, vendor):
    with pytest.raises(PayloadRefused, match="nothing was sent"):
        studio.upload_documents([])
    assert vendor.seen == []


def test_dubbing_sends_each_target_and_its_subtitles_by_number(studio, vendor):
    video, srt = Source(b"video"), Source(b"1\n")
    vendor.will(good({"folderId": "folder"}), good({"folderId": "folder"}))
    folder = studio.dub(
        file=video.upload("a.mp4", "video/mp4"),
        targets=["en-US", "ko-KR", "ja-JP"],
        original="de-DE",
        original_srt=srt.upload("a.srt", "text/plain"),
        target_srts={"ko-KR": srt.upload("ko.srt", "text/plain")},
        dubbing_only=True,
        captions=True,
        speakers="2",
    )
    assert folder == "folder"
    assert vendor.seen[0].path == f"{ROOT}/automation/translatevideos"
    targets = {"target_0": "en-US", "target_1": "ko-KR", "target_2": "ja-JP"}
    assert arrived(vendor.seen[0]) == Arrived(
        {"original": "de-DE", "numberOfSpeakers": "2", **targets, "isDubbingOnly": "true", "isCaptionFile": "true"},
        [
            ("file", "a.mp4", "video/mp4", b"video"),
            ("originalSrt", "a.srt", "text/plain", b"1\n"),
            ("targetSrt_1", "ko.srt", "text/plain", b"1\n"),
        ],
    )
    assert studio.dub(url="https://youtu.be/x", targets=["fr-FR"]) == "folder"
    assert arrived(vendor.seen[1]) == Arrived(
        {"original": "auto", "numberOfSpeakers": "auto", "url": "https://youtu.be/x", "target_0": "fr-FR"}, []
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"targets": ["en-US"]},
        {"url": "u", "targets": []},
        {"url": "u", "targets": [f"l{number}" for number in range(11)]},
        {"url": "u", "targets": ["en-US", "en-US"]},
        {"url": "u", "targets": ["en-US"], "target_srts": {"ko-KR": Upload("a", 0, io.BytesIO)}},
    ],
)
def test_a_dubbing_that_cannot_be_asked_for_is_no_call(studio, vendor, wrong):
    with pytest.raises(PayloadRefused, match="nothing was sent"):
        studio.dub(**wrong)
    assert vendor.seen == []


ROW = {"projectId": ID, "name": "a (en-US)", "progress": "41.5", "download_url": None, "language": "en-US"}
VIDEO = DubbedVideo(ID, "a (en-US)", 41.5, None, None, "en-US")


@pytest.mark.parametrize(
    "data",
    [
        [ROW],
        ROW,
        {"projects": [ROW]},
        {"folderId": "f", "tags": ["x"], "videos": [ROW]},
        {"folder": {"id": "f", "children": [{"project": ROW}]}},
        {"en-US": ROW},
    ],
)
def test_dubbed_videos_are_found_in_any_container(studio, vendor, data):
    vendor.will(good(data))
    assert studio.dubbed_videos("f&1") == [VIDEO]
    assert (vendor.seen[0].method, vendor.seen[0].path) == ("GET", f"{ROOT}/automation/translatevideos?folderId=f%261")


def test_dubbed_videos_that_are_not_begun_are_none_and_an_unknown_folder_is_missing(studio, vendor):
    bare = {"_id": ID, "progress": None, "downloadUrl": "u", "state": "x"}
    vendor.will(good([]), good({"videos": []}), good([bare]), good("soon"), bad(1, "no folder", status=404))
    assert studio.dubbed_videos("f") == studio.dubbed_videos("f") == []
    assert studio.dubbed_videos("f") == [DubbedVideo(ID, None, 0.0, "u", "x")]
    with pytest.raises(VendorUnavailable):
        studio.dubbed_videos("f")
    with pytest.raises(ProjectMissing):
        studio.dubbed_videos("f")


UPLOADS = {
    "slides": lambda studio, upload: studio.create_from_slides(upload, name="Welcome"),
    "documents": lambda studio, upload: studio.upload_documents([upload]),
    "dub": lambda studio, upload: studio.dub(file=upload, targets=["en-US"]),
}


@pytest.mark.parametrize("name", UPLOADS)
@pytest.mark.parametrize("step", [hang_up, reset, reply(content=b"<html>", status=502), good(None)])
def test_a_whole_upload_without_an_answer_has_an_unknown_outcome(studio, vendor, name, step):
    """A free upload too: what it left at the vendor is not known."""
    source = Source(b"x" * 100_000)
    vendor.will(step)
    with pytest.raises(OutcomeUnknown):
        UPLOADS[name](studio, source.upload())
    assert len(vendor.seen) == len(source.opened) == 1
    assert source.all_closed


class Failing(io.RawIOBase):
    """A file on a storage that fails after its first bytes."""

    def __init__(self) -> None:
        self._begun = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._begun:
            raise OSError(5, "secret/path/of/a/tenant")
        self._begun = True
        return b"x" * 1000


def _refused() -> io.BytesIO:
    raise FileNotFoundError("secret/path/of/a/tenant")


BROKEN = {
    "cannot be opened": Upload("a", 10, _refused),
    "fails half way": Upload("a", 1 << 20, Failing),  # type: ignore[arg-type]
    "shorter than declared": Source(b"x" * 50_000).upload(size=60_000),
    "longer than declared": Source(b"x" * 50_000).upload(size=40_000),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_source_that_breaks_is_no_fault_of_the_vendor_and_may_be_repeated(studio, vendor, name):
    vendor.will(good({"folderId": "f"}))
    with pytest.raises(UploadUnreadable, match="not sent as a whole: a file to upload") as caught:
        studio.dub(file=BROKEN[name], targets=["en-US"])
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


class Overtaken(io.BytesIO):
    """A file whose reader learns that another worker has taken over."""

    def read(self, size: int | None = -1) -> bytes:
        raise TooLate("another worker has taken over")


def test_a_reader_may_end_the_call_with_a_fault_of_its_own(studio, vendor):
    with pytest.raises(TooLate, match="taken over"):
        studio.dub(file=Upload("a.mp4", 100, Overtaken), targets=["en-US"])


class _DeafVendor:
    """Takes a connection and as much as its socket holds, and reads nothing."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> "_DeafVendor":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def test_an_upload_that_breaks_off_was_not_processed_and_may_be_repeated(tokens):
    """The vendor never has the end of the form, so even a call that costs is certainly not made."""
    source = Source(b"x" * (64 << 20))
    with _DeafVendor() as vendor:
        client = StudioV3(vendor.url, tokens=tokens, total_timeout=0.5)
        with pytest.raises(VendorUnavailable, match=r"the upload broke off after \d+ of \d+ bytes") as caught:
            client.dub(file=source.upload(), targets=["en-US"])
        assert type(caught.value) is VendorUnavailable
        client.close()
    assert source.all_closed


def test_a_vendor_that_stays_silent_after_the_upload_is_waited_for_and_then_unknown(hasty_studio, vendor):
    vendor.will(no_answer)
    with pytest.raises(OutcomeUnknown):
        hasty_studio.create_from_slides(Source(b"x").upload(), name="Welcome")


class Slow(io.BytesIO):
    """A file on a storage that needs a moment for every piece."""

    def read(self, size: int | None = -1) -> bytes:
        time.sleep(0.01)
        return super().read(size)


def test_an_upload_beyond_the_time_to_send_ends_before_its_last_piece(studio, vendor):
    """After that moment another worker may have taken over; without its last piece the vendor has no call."""
    content = b"x" * (4 << 20)
    slow = Upload("a.mp4", len(content), lambda: Slow(content))
    vendor.will(good({"folderId": "f"}))
    with sent_by(boottime() + 0.1), pytest.raises(TooLate, match="the upload broke off"):
        studio.dub(file=slow, targets=["en-US"])
