"""Reads a long JSON list as it arrives, and keeps only the wanted fields of each object.

The vendor's project list has no pages and may be of any length. Only one whole object is in memory at a time, besides
the kept fields of the others.
"""

import codecs
import json
from collections.abc import Callable, Collection
from typing import Any

from renderline.studio.endpoint import Endpoint

LONGEST_ROW = 16 * 1024 * 1024
"""Characters of one object; a list with a longer one is not read."""

_CHUNK = 64 * 1024
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


class TooLong(ValueError):
    """The kept fields take more than allowed, or one object of the list is too long."""


class ListStream:
    """Makes JSON of the same shape in which the objects of lists have only the wanted fields.

    `read` returns up to so many bytes, none at the end. `most` is how many bytes may be kept.
    """

    def __init__(self, read: Callable[[int], bytes], *, wanted: Collection[str], most: int) -> None:
        self._read, self._wanted, self._most = read, frozenset(wanted), most
        self._bytes_to_text = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self._over = "", 0, False
        self._kept: list[str] = []
        self._size = 0

    def content(self) -> bytes:
        """Return the shortened JSON; raises ValueError for what is not JSON, `TooLong`, and whatever `read` raises."""
        self._value(depth=0)
        if self._next():
            raise ValueError("more follows")
        return "".join(self._kept).encode()

    def _value(self, *, depth: int) -> None:
        # Walk through the envelope, and through an object around the list. Decode everything else as a whole.
        first = self._next()
        if first == "{" and depth < 2:
            self._members(depth)
        elif first == "[" and depth < 3:
            self._rows()
        else:
            self._keep(json.dumps(self._decoded()))

    def _members(self, depth: int) -> None:
        for separator in self._items("{", "}"):
            self._keep(separator)
            self._keep(json.dumps(self._decoded()))
            if self._next() != ":":
                raise ValueError("no value")
            self._at += 1
            self._keep(":")
            self._value(depth=depth + 1)

    def _rows(self) -> None:
        for separator in self._items("[", "]"):
            row = self._decoded()
            if isinstance(row, dict):
                row = {name: value for name, value in row.items() if name in self._wanted}
            self._keep(separator + json.dumps(row))

    def _items(self, opening: str, closing: str) -> Any:
        """Yield the separator before each item: nothing, or a comma. The caller reads the item."""
        self._at += 1
        self._keep(opening)
        separator = ""
        while (found := self._next()) != closing:
            if separator:
                if found != separator:
                    raise ValueError("no comma")
                self._at += 1
                self._next()
            yield separator
            separator = ","
        self._at += 1
        self._keep(closing)

    def _decoded(self) -> Any:
        """Return the next value."""
        self._next()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except ValueError:
                if not self._more():
                    raise
                continue
            # A number at the very end of the buffer may have more digits.
            if end < len(self._text) or not self._more():
                self._at = end
                return value

    def _next(self) -> str:
        """Return the next character that is not blank, without consuming it; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._over:
            return False
        left = self._text[self._at :]
        if len(left) > LONGEST_ROW:
            raise TooLong("one object of the list is too long")
        # At least as much again as is there, so that a long object is not parsed anew for each chunk.
        read = self._read(max(_CHUNK, len(left)))
        self._over = not read
        self._text, self._at = left + self._bytes_to_text.decode(read, final=self._over), 0
        return True

    def _keep(self, text: str) -> None:
        self._size += len(text)
        if self._size > self._most:
            raise TooLong("too much to keep")
        self._kept.append(text)


def read_list(endpoint: Endpoint, raw: Any) -> bytes:
    """Return the wanted fields of a list that may be too long for memory."""
    head = b""

    def read(size: int) -> bytes:
        nonlocal head
        chunk: bytes = raw.read(size, decode_content=True)
        head = head or chunk
        return chunk

    try:
        return ListStream(read, wanted=endpoint.rows_of, most=endpoint.max_bytes).content()
    except TooLong:
        raise endpoint.unseen("the answer is too large", status=raw.status) from None
    except (ValueError, RecursionError):
        # It is no list, or it is cut short: its beginning is enough to classify it.
        return head[:-1]
