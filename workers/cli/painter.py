"""A block of lines on a terminal that is drawn again in its place, whatever size the terminal has meanwhile."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

_HIDE, _SHOW = "\x1b[?25l", "\x1b[?25h"
_CLEAR_SCREEN = "\x1b[H\x1b[2J"


class Painter:
    """Draws lines over the ones that it drew before. Lines are cut to the width of the terminal, never wrapped."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn = 0
        self._size: tuple[int, int] | None = None
        self._sized = console.size

    @property
    def size(self) -> tuple[int, int]:
        """Return the columns and lines that may be drawn on. The last of each stays free: a terminal may scroll."""
        try:
            # Asked each time, because the size of a console may be that of an environment variable.
            width, height = os.get_terminal_size(self._console.file.fileno())
        except (OSError, ValueError, AttributeError):
            width, height = self._sized
        return max(width - 1, 1), max(height - 1, 1)

    def paint(self, lines: Sequence[Text]) -> None:
        """Draw the lines, as many as there is room for."""
        width, height = self.size
        # What was drawn in another width may have been wrapped, so nobody knows where it begins.
        resized = self._size is not None and self._size != (width, height)
        self._size = (width, height)
        shown = [self._line(line, width) for line in lines[:height]]
        begin = _CLEAR_SCREEN if resized else f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        self._write(_HIDE + begin + "".join(f"{line}\n" for line in shown))
        self._drawn = len(shown)

    def wipe(self) -> None:
        """Take the lines off the screen, and show the cursor again."""
        begin = f"\x1b[{self._drawn}F\x1b[J" if self._drawn else ""
        self._drawn = 0
        self._write(begin + _SHOW)

    def _line(self, line: Text, width: int) -> str:
        cut = line.copy()
        cut.truncate(width, overflow="ellipsis")
        with self._console.capture() as captured:
            self._console.print(cut, end="", no_wrap=True, crop=False, overflow="ignore", soft_wrap=True)
        return captured.get()

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
