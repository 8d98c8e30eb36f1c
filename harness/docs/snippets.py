"""The fenced blocks of the README and of all pages."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
_FENCE: Final = re.compile(r"^(?P<indent> *)(?P<mark>`{3,}|~{3,})(?P<language>[\w+-]*)")


class Block(NamedTuple):
    """One fenced block: where it begins, its language ("" if it names none), its text."""

    page: str
    line: int
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line that is not empty."""
        return next((line.strip() for line in self.text.splitlines() if line.strip()), "")


def pages() -> list[Path]:
    """Return the README, everything below docs/ and the pages of the site that lie elsewhere."""
    others = [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "renderline/sandbox/README.md")]
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *filter(Path.is_file, others)]


def blocks() -> Iterator[Block]:
    """Yield every fenced block of every page."""
    for path in pages():
        yield from blocks_of(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page; raises ValueError for one without an end."""
    opened: re.Match[str] | None = None
    begun, lines = 0, []
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if opened is None and mark:
            opened, begun, lines = mark, number, []
        elif opened is not None and mark and mark["mark"].startswith(opened["mark"]) and not mark["language"]:
            yield Block(page, begun, opened["language"], textwrap.dedent("\n".join(lines)) + "\n")
            opened = None
        elif opened is not None:
            lines.append(line)
    if opened is not None:
        raise ValueError(f"{page}:{begun}: the block has no end")
