"""The diagrams of the pages as pictures. `python -m harness.docs.diagrams MERMAID.JS` draws those that changed.

A forge draws a block of Mermaid itself. The site shows the picture, and needs no script of three megabytes.
MERMAID.JS is the file dist/mermaid.min.js of the npm package mermaid (npm pack mermaid), drawn with 11.17.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "images" / "diagrams"
BLOCK: Final = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Greys, which docs/stylesheets/site.css turns round for the dark theme.
_CONFIG: Final = """{
  startOnLoad: false, securityLevel: "strict", deterministicIds: true, deterministicIDSeed: "diagram",
  fontFamily: "system-ui, sans-serif", theme: "neutral",
  flowchart: {htmlLabels: false}, state: {htmlLabels: false}, htmlLabels: false
}"""


def name_of(text: str) -> str:
    """Return the name of the picture that shows this text: another text has another name."""
    return f"{sha256(text.strip().encode()).hexdigest()[:12]}.svg"


def picture(text: str) -> str:
    """Return the picture of a diagram as SVG; raises FileNotFoundError if it was not drawn yet."""
    return (FOLDER / name_of(text)).read_text(encoding="utf-8")


def texts() -> Iterator[str]:
    """Yield the diagrams of the README and of all pages."""
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        yield from BLOCK.findall(path.read_text(encoding="utf-8"))


def draw(mermaid: Path) -> None:
    """Draw every diagram that has no picture and remove the pictures that no diagram has."""
    # The site is built without a browser.
    from harness.browser import open_browser

    wanted = {name_of(text): text for text in texts()}
    for path in FOLDER.glob("*.svg"):
        if path.name not in wanted:
            path.unlink()
    with open_browser() as browser:
        page = browser.new_page()
        page.add_script_tag(path=mermaid)
        page.evaluate(f"mermaid.initialize({_CONFIG})")
        for name, text in wanted.items():
            if not (FOLDER / name).exists():
                drawn = page.evaluate(
                    "async ([id, text]) => (await mermaid.render(id, text)).svg", [f"d{name[:6]}", text]
                )
                (FOLDER / name).write_text(drawn.replace("\n", " ").strip() + "\n", encoding="utf-8")
                print((FOLDER / name).relative_to(ROOT))


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    draw(Path(sys.argv[1]))
