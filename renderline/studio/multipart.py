"""Multipart forms whose files are streamed: no file is ever in memory as a whole, and each sending opens it anew.

requests_toolbelt encodes them (docs/decisions). What it leaves to its caller is here: the size of a file is declared
rather than asked for, a file that ends early is an error instead of an endless loop, and the errors of a source are
kept apart from those of the connection.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from requests_toolbelt.multipart.encoder import MultipartEncoder

from renderline.studio.faults import StudioFault


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send: its name for the vendor, its size in bytes, and how to open it, perhaps more than once."""

    name: str
    size: int
    open: Callable[[], BinaryIO]
    content_type: str = "application/octet-stream"


class SourceBroken(Exception):
    """A file to upload could not be opened, or not be read as declared. The message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart form: text fields, then files. Several files may have one field name."""

    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[tuple[str, Upload]] = ()

    @contextmanager
    def opened(self) -> Iterator["FormBody"]:
        """Open the files for one sending; raise SourceBroken if one cannot be opened."""
        with ExitStack() as stack:
            parts: list[tuple[str, Any]] = list(self.fields.items())
            for name, upload in self.files:
                source = stack.enter_context(_Source(upload))
                parts.append((name, (upload.name, source, upload.content_type)))
            yield FormBody(MultipartEncoder(parts))


class FormBody:
    """The encoded form, read from its start to its end once."""

    def __init__(self, encoder: MultipartEncoder) -> None:
        self._encoder = encoder
        self.content_type: str = encoder.content_type
        self.length: int = encoder.len
        self._read = 0

    def __str__(self) -> str:
        """How far it was read."""
        return f"after {self._read} of {self.length} bytes"

    @property
    def exhausted(self) -> bool:
        """Whether everything was read, so that the last piece may have been sent."""
        return self._read >= self.length

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; raise SourceBroken if a file cannot be read as declared."""
        piece: bytes = self._encoder.read(size)
        self._read += len(piece)
        return piece


class _Source:
    """One open file, of which exactly as many bytes are read as were declared."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self.len = upload.size
        """How many bytes are still to be read; requests_toolbelt asks for it under this name."""

    def __enter__(self) -> "_Source":
        try:
            self._file = self._upload.open()
        except StudioFault:
            raise
        except Exception as error:
            raise SourceBroken(f"a file to upload cannot be opened ({type(error).__name__})") from None
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`, never none while some are missing."""
        wanted = min(size, self.len)
        try:
            piece = self._file.read(wanted)
            more = self._file.read(1) if piece and len(piece) == self.len else b""
        except StudioFault:
            raise  # the reader found that the call may no longer be made
        except Exception as error:
            raise SourceBroken(f"a file to upload cannot be read ({type(error).__name__})") from None
        if not piece or more:
            raise SourceBroken(f"a file to upload has not the {self._upload.size} bytes that were declared")
        self.len -= len(piece)
        return piece
