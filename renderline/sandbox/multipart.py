"""Multipart bodies, parsed while they arrive: a file leaves its size, its digest and its first bytes in memory."""

import hashlib
import re
from email.message import Message
from urllib.parse import unquote

from renderline.sandbox.magic import MARKER
from renderline.sandbox.responses import BAD_BODY, Refusal
from renderline.sandbox.slides import SlideCounter

HEAD_BYTES = 4096
"""How much of a file is kept: enough for its type and for a magic tag at its beginning."""

FIELD_BYTES = 256 * 1024
HEADER_BYTES = 16 * 1024
FORM = "multipart/form-data"
MAX_PARTS = 200


class Part:
    """One part of a form: a field with its whole text, or a file with what is left of it."""

    __slots__ = ("_digest", "_limit", "file_name", "head", "name", "size", "slides")

    def __init__(self, name: str, file_name: str | None) -> None:
        self.name = name
        self.file_name = file_name
        self.size = 0
        self.head = b""
        self.slides = SlideCounter()
        self._digest = hashlib.sha256()
        self._limit = FIELD_BYTES if file_name is None else HEAD_BYTES

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the content."""
        if self.file_name is None and self.size + len(data) > FIELD_BYTES:
            raise Refusal(BAD_BODY, f"{self.name}: is longer than {FIELD_BYTES} bytes")
        self.size += len(data)
        self._digest.update(data)
        self.head += data[: max(0, self._limit - len(self.head))]
        if self.file_name is not None:
            self.slides.feed(data)

    @property
    def sha256(self) -> str:
        """The digest of the content."""
        return self._digest.hexdigest()

    @property
    def text(self) -> str:
        """The content of a field."""
        return self.head.decode("utf-8", "replace")

    def marked_texts(self) -> list[str]:
        """Where a magic tag may stand: a field's text; a file's name, and its first bytes if a tag is there."""
        if self.file_name is None:
            return [self.text]
        shown = [unquote(self.file_name)]
        return [*shown, self.head.decode("latin-1")] if MARKER in self.head else shown


class Form:
    """A complete multipart body."""

    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts

    def fields(self) -> dict[str, str]:
        """The fields without files; the last one of a name wins."""
        return {part.name: part.text for part in self.parts if part.file_name is None}

    def files(self, name: str) -> list[Part]:
        """The files of this name, in their order."""
        return [part for part in self.parts if part.name == name and part.file_name is not None]

    def texts(self) -> list[str]:
        """Every text in which a magic tag may stand."""
        return [text for part in self.parts for text in part.marked_texts()]


class FormReader:
    """Parses a multipart/form-data body chunk by chunk (RFC 7578). A bad form is remembered and raised at the end."""

    def __init__(self, boundary: str) -> None:
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = b"\r\n"
        self._parts: list[Part] = []
        self._part: Part | None = None
        self._in_head = False
        self._ended = False
        self._wrong: Refusal | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        if self._ended or self._wrong is not None:
            return
        self._buffer += chunk
        try:
            while self._step():
                pass
        except Refusal as refusal:
            self._wrong, self._buffer = refusal, b""

    def form(self) -> Form:
        """The parsed form; raises Refusal (400) if the body was none."""
        if self._wrong is not None:
            raise self._wrong
        if not self._ended:
            raise Refusal(BAD_BODY, "the multipart body has no end; its boundary must be the one in Content-Type")
        return Form(self._parts)

    def _step(self) -> bool:
        """Consume something from the buffer; False if more bytes are needed."""
        return self._read_head() if self._in_head else self._read_content()

    def _read_content(self) -> bool:
        """Everything up to the next delimiter belongs to the present part, or stands before the first."""
        found = self._buffer.find(self._delimiter)
        if found < 0:
            safe = len(self._buffer) - len(self._delimiter) + 1
            if safe > 0:
                self._give(self._buffer[:safe])
                self._buffer = self._buffer[safe:]
            return False
        after = found + len(self._delimiter)
        if len(self._buffer) < after + 2:
            return False
        self._give(self._buffer[:found])
        mark, self._buffer = self._buffer[after : after + 2], self._buffer[after + 2 :]
        self._part = None
        if mark == b"--":
            self._ended, self._buffer = True, b""
            return False
        if mark != b"\r\n":
            raise Refusal(BAD_BODY, "the multipart body is malformed after a boundary")
        self._in_head = True
        return True

    def _read_head(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            if len(self._buffer) > HEADER_BYTES:
                raise Refusal(BAD_BODY, "a part of the multipart body has no end of its header")
            return False
        if len(self._parts) >= MAX_PARTS:
            raise Refusal(BAD_BODY, f"the multipart body has more than {MAX_PARTS} parts")
        self._part = _part(head.decode("utf-8", "replace"))
        self._parts.append(self._part)
        self._in_head, self._buffer = False, rest
        return True

    def _give(self, data: bytes) -> None:
        if self._part is not None and data:
            self._part.feed(data)


def _part(head: str) -> Part:
    """An empty part from its header."""
    line = next((line for line in head.split("\r\n") if line.lower().startswith("content-disposition:")), "")
    shown = dict(re.findall(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"', line, re.IGNORECASE))
    if "name" not in shown:
        raise Refusal(BAD_BODY, "a part of the multipart body has no name")
    extended = re.search(r";\s*filename\*=(?:utf-8|UTF-8)''([^;\s]+)", line)
    file_name = unquote(extended[1]) if extended else shown.get("filename")
    return Part(_unescaped(shown["name"]), None if file_name is None else _unescaped(file_name))


def _unescaped(name: str) -> str:
    """A name without what browsers and HTTP libraries put in for a quote or a line break."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n").replace('\\"', '"')


def boundary_of(content_type: str) -> str | None:
    """The boundary of a multipart/form-data Content-Type, None if it is another type or has none."""
    if content_type[: len(FORM)].lower() != FORM:
        return None
    message = Message()
    message["Content-Type"] = content_type
    if message.get_content_type() != FORM:
        return None
    boundary = message.get_boundary()
    return boundary if boundary else None
