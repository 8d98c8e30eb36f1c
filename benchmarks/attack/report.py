"""Renews the documentation's table from the file of a run: `python -m benchmarks.attack.report`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "attack.json"
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- figures of make attack -->", "<!-- end of the figures -->"


def table(document: Mapping[str, Any]) -> str:
    """Return the table of a run, as Markdown; `document` is a file of `benchmarks.attack.table.write`."""
    lines = ["| attack | what it does | held | figure |", "|:--|:--|:--|:--|"]
    for one in document["attacks"]:
        cells = (f"`{one['name']}`", one["what"], "yes" if one["held"] else "**no**", one["figure"])
        lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def put(page: str, rendered: str) -> str:
    """Return the page with this table between the markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{BEGIN} and {END} must be in the page")
    return f"{before}{begin}\n{rendered}{end}{after}"


if __name__ == "__main__":
    PAGE.write_text(put(PAGE.read_text(), table(json.loads(RESULTS.read_text()))))
