"""Compresses stored request bodies against the first one, because the projects of one caller are alike."""

import zlib

MAX_DICTIONARY = 32_000

PLAIN = b"\xff"
"""No compressed body begins so: the type of block that it stands for does not exist."""


class BodyCompressor:
    """Compresses and restores bodies; the first body given to `pack` becomes the dictionary of all."""

    def __init__(self) -> None:
        self._dictionary = b""

    def plain(self, body: bytes) -> bytes:
        """Return the body so that `unpack` restores it, without making it the dictionary."""
        return PLAIN + body

    def pack(self, body: bytes) -> bytes:
        """Return the compressed body."""
        if not self._dictionary:
            self._dictionary = body[-MAX_DICTIONARY:] or b" "
        press = zlib.compressobj(1, zlib.DEFLATED, -15, 6, zlib.Z_DEFAULT_STRATEGY, self._dictionary)
        return press.compress(body) + press.flush()

    def unpack(self, packed: bytes) -> bytes:
        """Return the body that was given to `pack` or `plain`."""
        if packed.startswith(PLAIN):
            return packed[len(PLAIN) :]
        opened = zlib.decompressobj(-15, self._dictionary)
        return opened.decompress(packed) + opened.flush()
