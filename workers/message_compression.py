"""Unpacks the body of a message, up to a limit: a kilobyte can hold gigabytes, and kombu would unpack them all."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Mapping
from typing import Any

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of an unpacked body."""


class TooLarge(ValueError):
    """The body has more bytes than allowed once it is unpacked."""


# The names under which kombu knows them. Its others (brotli, zstandard) need packages that workers do not have.
_UNPACKERS: Mapping[str, Callable[[], Any]] = {
    "application/x-gzip": zlib.decompressobj,
    "gzip": zlib.decompressobj,
    "zlib": zlib.decompressobj,
    "application/x-bz2": bz2.BZ2Decompressor,
    "bzip2": bz2.BZ2Decompressor,
    "bzip": bz2.BZ2Decompressor,
    "application/x-lzma": lzma.LZMADecompressor,
    "lzma": lzma.LZMADecompressor,
    "xz": lzma.LZMADecompressor,
}


def decompressed(raw: bytes | str, compression: str) -> bytes:
    """Return an unpacked body; raises `TooLarge`, and LookupError or another error for what cannot be unpacked."""
    packed = raw if isinstance(raw, bytes) else raw.encode()
    unpacker = _UNPACKERS[compression]()
    content: bytes = unpacker.decompress(packed, MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise TooLarge(f"its body has more than {MOST_BYTES} bytes once it is unpacked")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("cut short, or more follows")
    return content
