"""The types of files that requests may name, recognised by their ending and by their first bytes.

No file is unpacked: of a zip archive only the names of its entries are looked at, as they pass.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from renderline.uploads.errors import UploadRefused
from renderline.uploads.reference import ending_of

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_OVERLAP: Final = 64
_HEAD: Final = 1024


class ContentCheck(Protocol):
    """Reads a file as it passes."""

    def feed(self, chunk: bytes) -> None:
        """Read the next part; raises UploadRefused as soon as it cannot be such a file."""

    def end(self) -> None:
        """Raise UploadRefused if what was read is no such file."""


class _Head:
    """The first bytes of a file tell what it is; `found` answers None while there are too few of them."""

    def __init__(self, ending: str, found: Callable[[bytes], bool]) -> None:
        self._ending, self._found = ending, found
        self._head: bytes | None = b""

    def feed(self, chunk: bytes) -> None:
        if self._head is None:
            return
        self._head += chunk[: _HEAD - len(self._head)]
        if len(self._head) >= _HEAD:
            self.end()

    def end(self) -> None:
        if self._head is None:
            return
        head, self._head = self._head, None
        if not self._found(head):
            raise _refusal(self._ending, head)


class _OpenXml:
    """A zip archive that has the folder of such documents."""

    def __init__(self, ending: str, folder: bytes) -> None:
        self._ending = ending
        self._head = _Head(ending, lambda head: head.startswith(_ZIP))
        # The header of an entry, in the archive or in its directory; its name comes last.
        self._entry = re.compile(rb"PK(?:\x03\x04.{26}|\x01\x02.{42})" + re.escape(folder), re.DOTALL)
        self._last = b""
        self._found = False

    def feed(self, chunk: bytes) -> None:
        self._head.feed(chunk)
        if not self._found:
            text = self._last + chunk
            self._found = self._entry.search(text) is not None
            self._last = text[-_OVERLAP:]

    def end(self) -> None:
        self._head.end()
        if not self._found:
            raise UploadRefused(f"is a zip archive, but no {self._ending} document")


class _Text:
    """UTF-8 without control bytes."""

    def __init__(self, ending: str) -> None:
        self._ending = ending
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            text = self._decoder.decode(chunk, last)
        except UnicodeDecodeError:
            raise UploadRefused(f"is no {self._ending} file: its text is not UTF-8") from None
        if "\x00" in text:
            raise UploadRefused(f"is no {self._ending} file: it has zero bytes")

    def end(self) -> None:
        self.feed(b"", last=True)


@dataclass(frozen=True)
class FileType:
    """What is sent as the type of a file, and how its content is checked."""

    content_type: str
    check: Callable[[], ContentCheck]


def _of_head(ending: str, content_type: str, found: Callable[[bytes], bool]) -> FileType:
    return FileType(content_type, lambda: _Head(ending, found))


def _open_xml(ending: str, content_type: str, folder: bytes) -> FileType:
    return FileType(f"application/vnd.openxmlformats-officedocument.{content_type}", lambda: _OpenXml(ending, folder))


def _ole(ending: str, content_type: str) -> FileType:
    return _of_head(ending, content_type, lambda head: head.startswith(_OLE))


def _text(ending: str, content_type: str = "text/plain") -> FileType:
    return FileType(content_type, lambda: _Text(ending))


def _is_mp4(head: bytes) -> bool:
    return head[4:8] == b"ftyp"


FILE_TYPES: Final[Mapping[str, FileType]] = {
    "pdf": _of_head("pdf", "application/pdf", lambda head: b"%PDF-" in head),
    "pptx": _open_xml("pptx", "presentationml.presentation", b"ppt/"),
    "docx": _open_xml("docx", "wordprocessingml.document", b"word/"),
    "xlsx": _open_xml("xlsx", "spreadsheetml.sheet", b"xl/"),
    "ppt": _ole("ppt", "application/vnd.ms-powerpoint"),
    "doc": _ole("doc", "application/msword"),
    "xls": _ole("xls", "application/vnd.ms-excel"),
    # Nobody says what the vendor means by it: what is called so is an export of an online editor.
    "docs": _of_head("docs", "application/msword", lambda head: head.startswith((_OLE, _ZIP))),
    "txt": _text("txt"),
    "srt": _text("srt", "application/x-subrip"),
    "mp4": _of_head("mp4", "video/mp4", _is_mp4),
    "m4v": _of_head("m4v", "video/x-m4v", _is_mp4),
    "mov": _of_head("mov", "video/quicktime", lambda head: head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free")),
    "webm": _of_head("webm", "video/webm", lambda head: head.startswith(b"\x1aE\xdf\xa3")),
    "mkv": _of_head("mkv", "video/x-matroska", lambda head: head.startswith(b"\x1aE\xdf\xa3")),
    "avi": _of_head("avi", "video/x-msvideo", lambda head: head[:4] == b"RIFF" and head[8:12] == b"AVI "),
}
"""The known types by their ending. What a kind takes, its module says."""


def type_of(name: str) -> FileType:
    """Return the type that a file's name has by its ending; raises UploadRefused for an unknown one."""
    found = FILE_TYPES.get(ending_of(name))
    if found is None:
        raise UploadRefused(f"has an unknown type; allowed endings: {', '.join(FILE_TYPES)}", field="name")
    return found


def ending_for(content_type: str) -> str | None:
    """Return the ending of files of this content type; None if it is unknown."""
    wanted = content_type.partition(";")[0].strip().lower()
    return next((ending for ending, one in FILE_TYPES.items() if one.content_type == wanted), None)


def _refusal(ending: str, head: bytes) -> UploadRefused:
    if not head:
        return UploadRefused("is empty")
    if ending.endswith("x") and head.startswith(_OLE):
        why = "it is protected by a password, or of an older format"
    else:
        why = f"it does not begin like one ({head[:8].hex(' ')})"
    return UploadRefused(f"is no {ending} file: {why}")
