"""The page "to change X, touch Y" names files that exist, and knows every package of the domain."""

from __future__ import annotations

import re

import pytest

from harness import ROOT

PAGE = (ROOT / "docs/changing.md").read_text()
# What is below var/ is built: `make docs` makes it.
NAMED = sorted({name for name in re.findall(r"`([\w./-]+(?:\.\w+|/))`", PAGE) if not name.startswith("var/")})


@pytest.mark.parametrize("name", NAMED)
def test_every_file_it_names_exists(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("package", sorted(path.parent.name for path in (ROOT / "renderline").glob("*/__init__.py")))
def test_it_leads_into_every_package(package: str) -> None:
    assert f"`renderline/{package}/" in PAGE
