"""The type of a file shows in its ending and its content, which is never unpacked."""

from __future__ import annotations

import time

import pytest

from harness.documents import OLE, archive, document
from renderline.uploads import FILE_TYPES, UploadRefused
from renderline.uploads.file_type import type_of


def read(name: str, content: bytes, *, size: int = 7) -> None:
    check = type_of(name).check()
    for start in range(0, len(content), size):
        check.feed(content[start : start + size])
    check.end()


@pytest.mark.parametrize("ending", ["pdf", "pptx", "docx", "xlsx", "ppt", "doc", "xls", "docs", "txt", "srt", "mp4"])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_document_of_each_type_is_taken_however_it_comes(ending: str, size: int) -> None:
    read(f"a.{ending}", document(ending), size=size)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.pdf", document("pptx"), "is no pdf file"),
        ("a.pdf", b"", "is empty"),
        ("a.pdf", b"<html>", "does not begin like one"),
        ("a.pptx", document("pdf"), "is no pptx file"),
        ("a.pptx", document("docx"), "is a zip archive, but no pptx document"),
        ("a.pptx", archive("readme.txt"), "is a zip archive, but no pptx document"),
        ("a.pptx", OLE + b"...", "protected by a password"),
        ("a.ppt", document("pptx"), "is no ppt file"),
        ("a.docx", document("xlsx"), "is a zip archive, but no docx document"),
        ("a.txt", b"\xff\xfea\x00", "not UTF-8"),
        ("a.txt", b"a\x00b", "zero bytes"),
        ("a.txt", "é".encode()[:1], "not UTF-8"),
        ("a.mp4", b"MZ\x90\x00", "is no mp4 file"),
    ],
)
def test_what_is_called_otherwise_than_it_is_is_refused(name: str, content: bytes, said: str) -> None:
    with pytest.raises(UploadRefused, match=said):
        read(name, content)


def test_a_wrong_beginning_is_refused_before_the_rest_comes() -> None:
    check = type_of("a.pdf").check()
    with pytest.raises(UploadRefused):
        check.feed(b"x" * 2000)


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UploadRefused, match="allowed endings: pdf, pptx") as refused:
        type_of("a.exe")
    assert refused.value.field == "name"


def test_an_archive_is_not_unpacked() -> None:
    # Unpacked it would take a gigabyte.
    bomb = archive("ppt/presentation.xml", text="0" * 50_000_000)
    assert len(bomb) < 100_000
    began = time.process_time()
    read("bomb.pptx", bomb, size=65536)
    assert time.process_time() - began < 0.1


def test_every_type_says_what_is_sent() -> None:
    assert all("/" in one.content_type for one in FILE_TYPES.values())
