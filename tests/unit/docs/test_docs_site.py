"""The documentation site: it builds without a warning, holds every page, and loads nothing from another host."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT
from harness.docs import diagrams
from harness.docs.site import OUTSIDE, site_links


def build(folder: Path, config: Path = ROOT / "mkdocs.yml") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "--site-dir", folder]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_on_the_site(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    pages |= {Path(name).with_suffix(".html") for name, there in OUTSIDE.items() if (ROOT / there).exists()}
    assert pages <= {path.relative_to(site) for path in site.rglob("*.html")}


def test_a_page_loads_nothing_from_another_host(site: Path) -> None:
    loaded = re.compile(r"""<(?!a\b)[^>]*\s(?:src|href|srcset|action)=["']?((?:https?:)?//[^"'\s>]+)""")
    for path in site.rglob("*.html"):
        assert loaded.findall(path.read_text(encoding="utf-8")) == [], path.name
    for path in site.rglob("*.css"):
        assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]+", path.read_text(encoding="utf-8")) == [], path.name


def test_diagrams_are_pictures_and_every_picture_is_of_a_diagram(site: Path) -> None:
    assert "<svg" in (site / "guarantees.html").read_text(encoding="utf-8").partition('class="diagram"')[2][:200]
    assert 'class="mermaid"' not in (site / "guarantees.html").read_text(encoding="utf-8")
    assert {path.name for path in diagrams.FOLDER.glob("*.svg")} == {
        diagrams.name_of(text) for text in diagrams.texts()
    }


def test_a_page_that_the_nav_leaves_out_and_a_link_to_nowhere_fail(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    text = "# A\n\n[there](b.md#none), [gone](c.md)\n\n```mermaid\nflowchart LR\n  A --> B\n```\n"
    (tmp_path / "docs/a.md").write_text(text)
    (tmp_path / "docs/b.md").write_text("# B\n")
    config = (ROOT / "mkdocs.yml").read_text().partition("\nnav:")[0].replace("[harness", f"[{ROOT}/harness")
    (tmp_path / "mkdocs.yml").write_text(f"{config}\nnav: [a.md]\n")
    failed = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert failed.returncode == 1
    for complaint in ("not included in", "b.md#none", "'c.md'", "a diagram has no picture"):
        assert complaint in failed.stderr


@pytest.mark.parametrize(
    ("page", "text", "on_site"),
    [
        ("hooks.md", "[code](../config/celery.py#L3)", "code (`config/celery.py`)"),
        ("hooks.md", "[`celery.py`](../config/celery.py)", "`celery.py`"),
        ("hooks.md", "[faults](../renderline/sandbox/README.md#magic-inputs)", "[faults](sandbox.md#magic-inputs)"),
        ("hooks.md", "[README](../README.md)", "[README](overview.md)"),
        ("hooks.md", "[other](metrics.md#labels)", "[other](metrics.md#labels)"),
        ("hooks.md", "[gone](../config/gone.py)", "[gone](../config/gone.py)"),
        ("hooks.md", "`[code](../config/celery.py)`", "`[code](../config/celery.py)`"),
        ("hooks.md", "```\n[code](../config/celery.py)\n```", "```\n[code](../config/celery.py)\n```"),
        ("decisions/0009-threads.md", "[code](../../config/celery.py)", "code (`config/celery.py`)"),
        ("decisions/0009-threads.md", "[log](../../CHANGELOG.md)", "[log](../changelog.md)"),
        ("changelog.md", "[hooks](docs/hooks.md#verify)", "[hooks](hooks.md#verify)"),
        ("changelog.md", "![board](docs/images/board.png)", "![board](images/board.png)"),
        ("sandbox.md", "[hooks](../../docs/hooks.md)", "[hooks](hooks.md)"),
    ],
)
def test_a_link_that_works_on_a_forge_works_on_the_site(page: str, text: str, on_site: str) -> None:
    assert site_links(text, page) == on_site


def test_with_an_address_of_the_repository_code_is_linked() -> None:
    linked = site_links("[code](../config/celery.py)", "hooks.md", "https://forge.example/r/blob/main/")
    assert linked == "[code](https://forge.example/r/blob/main/config/celery.py)"
