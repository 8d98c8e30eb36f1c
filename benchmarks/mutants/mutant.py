"""The mutants of `mutants.toml`: for each threat of docs/security.md a small change that takes its defence out."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_name("mutants.toml")
PAGE: Final = ROOT / "docs" / "security.md"
TEST: Final = re.compile(r"`(tests/[\w/]+\.py::test_\w+)`")


class NotApplicable(ValueError):
    """The text that a mutant replaces is not in its file, or more than once; the message names the mutant."""


@dataclass(frozen=True)
class Mutant:
    """Replaces `search`, which `file` holds once, by `replace`; then `test` must fail."""

    test: str
    file: str
    search: str
    replace: str

    def apply(self, root: Path) -> str:
        """Return the text of the file with the change; raises NotApplicable."""
        path = root / self.file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if (count := text.count(self.search)) != 1:
            raise NotApplicable(f"{self.test}: {self.file} holds the text to replace {count} times: {self.search!r}")
        return text.replace(self.search, self.replace)


@dataclass(frozen=True)
class Threat:
    """One row of the threat model."""

    asset: str
    attacker: str
    path: str
    defence: str
    tests: tuple[str, ...]


def mutants() -> Sequence[Mutant]:
    """Return every mutant."""
    return [Mutant(**one) for one in tomllib.loads(TABLE.read_text(encoding="utf-8"))["mutant"]]


def threats(page: str | None = None) -> Sequence[Threat]:
    """Return the rows of the threat model."""
    text = PAGE.read_text(encoding="utf-8") if page is None else page
    section = text.partition("\n## Threat model\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        for line in section.splitlines()
        if line[:2] == "| "
    ]
    return [Threat(*row[:4], tests=tuple(TEST.findall(row[4]))) for row in rows if len(row) == 5 and row[0] != "asset"]
