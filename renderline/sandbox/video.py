"""The finished video: one small MP4 per orientation, with a box at its end that differs for every project."""

import re
import struct
import uuid
from functools import cache
from importlib.resources import files

_BOX_KIND = uuid.UUID("6f1d2a54-3b0e-4c1c-9d55-72656e646572")
"""The user type of our box; players skip a `uuid` box they do not know."""

NAME_BYTES = 200
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@cache
def template(orientation: str) -> bytes:
    """The MP4 for `landscape` or `portrait`, read once."""
    name = "portrait.mp4" if orientation == "portrait" else "landscape.mp4"
    return files("renderline.sandbox").joinpath(name).read_bytes()


def box(project_id: str, name: str) -> bytes:
    """An ISO base media `uuid` box with the project's id and the beginning of its name."""
    payload = f"{project_id}\n{name}".encode("utf-8", "replace")[:NAME_BYTES]
    return struct.pack(">I4s", 24 + len(payload), b"uuid") + _BOX_KIND.bytes + payload


def video(project_id: str, *, name: str, orientation: str) -> bytes:
    """The project's MP4. The box stands at the end, where it moves no offset inside the file."""
    return template(orientation) + box(project_id, name)


def byte_range(header: str | None, length: int) -> tuple[int, int] | None:
    """First and last byte of a Range header; None to send everything; raises ValueError if out of range.

    Several ranges at once and other units are ignored, as RFC 9110 allows.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        if int(last) == 0:
            raise ValueError("an empty range")
        return max(0, length - int(last)), length - 1
    start, end = int(first), min(int(last or length - 1), length - 1)
    if last and int(last) < start:
        return None
    if start >= length:
        raise ValueError("a range behind the end")
    return start, end
