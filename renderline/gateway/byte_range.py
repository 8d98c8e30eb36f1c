"""Which bytes of a file a `Range` header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_ONE: Final = re.compile(r"\s*bytes\s*=\s*([0-9]*)-([0-9]*)\s*", re.IGNORECASE)
_LONGEST_NUMBER: Final = 18
"""Digits of a number that are read: no file has more bytes, and reading thousands of digits takes long."""


class Unsatisfiable(ValueError):
    """The file has none of the bytes that were asked for: the answer is 416."""


class ByteRange(NamedTuple):
    """The bytes from `first` to `last`, both included, numbered from 0."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """Return how many bytes it has."""
        return self.last - self.first + 1

    def content_range(self, size: int) -> str:
        """Return the `Content-Range` of an answer with these bytes of a file of `size` bytes."""
        return f"bytes {self.first}-{self.last}/{size}"


def wanted_range(header: str | None, size: int) -> ByteRange | None:
    """Return the bytes that a `Range` header asks for; None: the whole file. Raises `Unsatisfiable`.

    A header that is malformed or asks for several ranges is ignored, as the RFC allows: an answer in parts would let a
    short header ask for the same bytes a thousand times.
    """
    found = _ONE.fullmatch(header or "")
    if not found:
        return None
    first, last = (text.lstrip("0") or text[:1] for text in found.groups())
    if not first and not last:
        return None
    if not first:
        count = min(_number(last), size)
        if not count:
            raise Unsatisfiable
        return ByteRange(size - count, size - 1)
    begin, end = _number(first), _number(last) if last else size - 1
    if last and end < begin:
        return None
    if begin >= size:
        raise Unsatisfiable
    return ByteRange(begin, min(end, size - 1))


def _number(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER
