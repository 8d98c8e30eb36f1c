"""Small files that are what they say: a WAV with a tone, a PNG with a colour; each differs by the id inside it."""

import math
import struct
import zlib
from functools import cache

RATE = 8000
SECONDS = 1.0
SIZE = 64


@cache
def _tone() -> bytes:
    """One second of 440 Hz, 16 bit, mono."""
    samples = range(int(RATE * SECONDS))
    return b"".join(struct.pack("<h", int(8000 * math.sin(2 * math.pi * 440 * index / RATE))) for index in samples)


def sound(identity: str) -> bytes:
    """A WAV file; the id stands in its comment (RIFF LIST INFO ICMT)."""
    comment = identity.encode() + b"\0"
    comment += b"\0" * (len(comment) % 2)
    info = b"INFOICMT" + struct.pack("<I", len(comment)) + comment
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * 2, 2, 16)
    chunks = b"".join(
        name + struct.pack("<I", len(content)) + content
        for name, content in ((b"fmt ", form), (b"data", _tone()), (b"LIST", info))
    )
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def picture(identity: str) -> bytes:
    """A PNG of one colour; the id stands in its comment (tEXt)."""
    shade = bytes(zlib.crc32(identity.encode()).to_bytes(4, "big")[:3])
    rows = (b"\0" + shade * SIZE) * SIZE
    head = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    comment = b"Comment\0" + identity.encode()
    parts = ((b"IHDR", head), (b"tEXt", comment), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
