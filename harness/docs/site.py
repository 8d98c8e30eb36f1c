"""Hooks of MkDocs: the links of a page work on a forge, where it lies in the repository, and on the site."""

from __future__ import annotations

import logging
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from typing import Any, Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from harness.docs import diagrams

ROOT: Final = Path(__file__).parents[2]
OUTSIDE: Final = {
    "overview.md": "README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "security-policy.md": "SECURITY.md",
    "sandbox.md": "renderline/sandbox/README.md",
}
"""Pages of the site that lie elsewhere in the repository."""

_log = logging.getLogger("mkdocs.hooks.site")
_ON_SITE: Final = {there: page for page, there in OUTSIDE.items()}
_FENCE: Final = re.compile(r"^ *(`{3,}|~{3,})")
# The text of a link may hold code; an image keeps its exclamation mark.
_LINK: Final = re.compile(r"(?P<image>!?)\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<target>[^)\s]+)\)")
_CODE: Final = re.compile(r"(`+)[^`].*?\1")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the files in the place of the patterns of the nav."""
    config.nav = _expanded(config.nav, Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside docs/."""
    for name, there in OUTSIDE.items():
        if (ROOT / there).is_file():
            files.append(File.generated(config, name, abs_src_path=str(ROOT / there)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the page with links that lead to where their targets are on the site."""
    return diagrams.BLOCK.sub(_drawn, site_links(markdown, page.file.src_uri, config.extra["repository"]))


def _drawn(block: re.Match[str]) -> str:
    try:
        return f'<div class="diagram">{diagrams.picture(block[1])}</div>\n'
    except FileNotFoundError:
        _log.warning("a diagram has no picture: python -m harness.docs.diagrams")
        return block[0]


def site_links(markdown: str, page: str, repository: str = "") -> str:
    """Return the text of `page` (its name on the site) with each link of the repository made one of the site.

    A link to a file that the site does not have leads below `repository`, and is plain text if that is empty. Code is
    left as it is.
    """
    here = PurePosixPath(OUTSIDE.get(page, f"docs/{page}"))
    lines, fence = [], ""
    for line in markdown.split("\n"):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        elif not fence:
            line = _outside_code(line, lambda link: _on_site(link, here, page, repository))
        lines.append(line)
    return "\n".join(lines)


def _outside_code(line: str, replace: Any) -> str:
    """Replace the links of a line, but not those that are shown as code."""
    code = [found.span() for found in _CODE.finditer(line)]

    def replaced(link: re.Match[str]) -> str:
        inside = any(start < link.start() and link.end() <= end for start, end in code)
        return link[0] if inside else replace(link)

    return _LINK.sub(replaced, line)


def _on_site(link: re.Match[str], here: PurePosixPath, page: str, repository: str) -> str:
    target, mark, anchor = link["target"].partition("#")
    if not target or ":" in target or target.startswith("/"):
        return link[0]
    path = normpath(str(here.parent / target))
    if path in _ON_SITE or (path.startswith("docs/") and (ROOT / path).is_file()):
        there = relpath(_ON_SITE.get(path, path.removeprefix("docs/")), str(PurePosixPath(page).parent))
        return f"{link['image']}[{link['text']}]({there}{mark}{anchor})"
    if not (ROOT / path).exists():
        return link[0]  # MkDocs warns
    if repository:
        return f"{link['image']}[{link['text']}]({repository.rstrip('/')}/{path}{mark}{anchor})"
    return link["text"] if path in link["text"] or "`" in link["text"] else f"{link['text']} (`{path}`)"


def _expanded(nav: Any, folder: Path) -> Any:
    if isinstance(nav, dict):
        return {title: _expanded(entries, folder) for title, entries in nav.items()}
    if not isinstance(nav, list):
        return nav
    found: list[Any] = []
    for entry in nav:
        if isinstance(entry, str) and "*" in entry:
            found += sorted(path.relative_to(folder).as_posix() for path in folder.glob(entry))
        else:
            found.append(_expanded(entry, folder))
    return found
