"""The answer with a stored file, or with a part of it: small parts at once, others as the reader takes them.

A large part has a thread for as long as it is read, so their number is limited, and a reader that takes next to
nothing is given up: a player asks again for what it lacks.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, Final
from urllib.parse import quote

from flask import Response, request

from renderline.gateway.byte_range import ByteRange, Unsatisfiable, wanted_range
from renderline.gateway.server.environ import STREAMED
from renderline.gateway.shares import BatchShares, Tenant
from renderline.storage import StoredFile

READERS: Final = 32
"""Large parts that one process sends at once; half of them for one tenant."""

_AT_ONCE: Final = 256 * 1024
"""Bytes of an answer that needs no thread: more than a player asks for to see how long a video is."""
_PART: Final = 128 * 1024
_PATIENCE: Final = 60.0
"""Seconds in which a reader may take as little as it likes; a video that is paused is read no further."""
_SLOWEST: Final = 4 * 1024
"""Bytes a second that a reader must take on average after that; the smallest sound file plays at twice as much."""


def reader_shares() -> BatchShares:
    """Return the places for readers of large parts."""
    return BatchShares(READERS, 0, what="videos")


def file_answer(
    stored: StoredFile, *, name: str, media_type: str | None, download: bool, shares: BatchShares, tenant: Tenant
) -> Response:
    """Return the answer to the present GET or HEAD with a file, which it closes.

    `name` is what a browser calls the file if it stores it, and so it does with `download` or without a `media_type`.
    Raises a 429 problem if the tenant reads as many large parts as it may, a 503 problem if all places are taken.
    """
    with ExitStack() as held:
        held.callback(stored.file.close)
        etag = hashlib.sha256(stored.version.encode()).hexdigest()[:32]
        answer = Response(content_type=media_type or "application/octet-stream")
        answer.set_etag(etag)
        answer.headers["Accept-Ranges"] = "bytes"
        # Only who may see the render may see its file: asked for anew each time, kept by no proxy.
        answer.headers["Cache-Control"] = "private, no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Disposition"] = _disposition(name, attachment=download or media_type is None)
        if request.if_none_match.contains_weak(etag):
            answer.status_code = 304
            return answer
        try:
            wanted = _wanted(stored.size, etag)
        except Unsatisfiable:
            answer.status_code = 416
            answer.headers["Content-Range"] = f"bytes */{stored.size}"
            return answer
        if wanted:
            answer.status_code = 206
            answer.headers["Content-Range"] = wanted.content_range(stored.size)
        part = wanted or ByteRange(0, stored.size - 1)
        answer.content_length = part.length
        if request.method == "HEAD":
            return answer
        stored.file.seek(part.first)
        if part.length <= _AT_ONCE:
            answer.set_data(b"".join(parts_of(stored.file, part.length)))
            return answer
        held.enter_context(shares.hold(tenant, 0))
        request.environ[STREAMED] = True
        answer.response = parts_of(stored.file, part.length)
        answer.call_on_close(held.pop_all().close)
        return answer


def _wanted(size: int, etag: str) -> ByteRange | None:
    # HTTP defines ranges for GET alone.
    if request.method != "GET":
        return None
    condition = request.headers.get("If-Range")
    # A date is never compared: no answer has one. A weak tag must not match either.
    if condition is not None and condition.strip() != f'"{etag}"':
        return None
    return wanted_range(request.headers.get("Range"), size)


def parts_of(file: BinaryIO, left: int, *, clock: Callable[[], float] = time.monotonic) -> Iterator[bytes]:
    """Yield so many bytes; raises TimeoutError for a reader that is too slow, OSError if the file has become shorter.

    Either ends the connection, so that no reader takes half a file for a whole one.
    """
    begun, sent = clock(), 0
    while sent < left:
        chunk = file.read(min(_PART, left - sent))
        if not chunk:
            raise OSError("the file is shorter than it was")
        yield chunk
        sent += len(chunk)
        if sent < (clock() - begun - _PATIENCE) * _SLOWEST:
            raise TimeoutError("the reader takes too little")


def _disposition(name: str, *, attachment: bool) -> str:
    """Return a `Content-Disposition` with a name: plain letters for every browser, then the name itself."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in name)
    how = "attachment" if attachment else "inline"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='-_.', errors='replace')}"
