"""Flower's templates with ours beside them, and our links in two of Flower's.

Two of Flower's templates get a piece of text before a place in them. A release of Flower that has another navigation
bar is noticed when the pages are installed, not when a page is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tornado.template import BaseLoader, Template

_OURS = Path(__file__).with_name("templates")

_TAB = """  <li class="nav-item">
          <a class="nav-link{% if active_tab == 'renders' %} active{% end %}"
            href="{{ reverse_url('renders') }}"
            {% if active_tab == 'renders' %}aria-current="page"{% end %}>Renders</a>
        </li>
      """
_LINK = '{% module Template("renders_of_task.html", task=task) %}\n  '

PIECES: Mapping[str, tuple[str, str]] = {
    "navbar.html": ("</ul>", _TAB),
    "task.html": ('<section class="detail-card task-details-card"', _LINK),
}
"""For each of Flower's templates that we change: the text before whose first place ours goes, and ours."""


class Loader(BaseLoader):
    """Loads our templates, and for any other name Flower's, from the folder `theirs`."""

    def __init__(self, theirs: Path) -> None:
        super().__init__()
        self._theirs = theirs
        for name in PIECES:
            self.text(name)

    def resolve_path(self, name: str, parent_path: str | None = None) -> str:
        """Return the name itself: no template is in a folder of its own."""
        return name

    def text(self, name: str) -> str:
        """Return the text of a template; raises LookupError if Flower's has no place for our piece."""
        ours = _OURS / name
        if ours.is_file():
            return ours.read_text(encoding="utf-8")
        text = (self._theirs / name).read_text(encoding="utf-8")
        if name not in PIECES:
            return text
        place, piece = PIECES[name]
        before, found, after = text.partition(place)
        if not found:
            raise LookupError(f"its template {name} has no {place}")
        return before + piece + found + after

    def _create_template(self, name: str) -> Template:
        return Template(self.text(name), name=name, loader=self)
