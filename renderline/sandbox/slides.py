"""Counts the slides of a file while it passes by: names inside a pptx, page objects inside a pdf."""

import re

_NAME = re.compile(rb"ppt/slides/slide(\d{1,5})\.xml")
_PAGE = re.compile(rb"/Type\s{0,4}/Page(?![A-Za-z])")
_OVERLAP = 40


class SlideCounter:
    """Counts in a stream of chunks; `count` is None where neither form was found (an old ppt, a packed pdf)."""

    __slots__ = ("_names", "_pages", "_tail")

    def __init__(self) -> None:
        self._names: set[bytes] = set()
        self._pages = 0
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. A match that may go on in the next chunk is counted with that one."""
        window = self._tail + data
        self._names.update(match[1] for match in _NAME.finditer(window))
        counted = len(self._tail) - 1
        last = len(window) - 1
        # `(?!...)` needs the byte after a match: one at the very end waits for the next chunk.
        self._pages += sum(counted < match.end() <= last for match in _PAGE.finditer(window))
        self._tail = window[-_OVERLAP:]

    @property
    def count(self) -> int | None:
        """How many slides were seen."""
        return len(self._names) or self._pages or None
