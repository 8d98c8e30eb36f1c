"""The page about the vendor's API names files that exist."""

from __future__ import annotations

import re

import pytest

from harness import ROOT

PAGE = (ROOT / "docs/vendor.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([\w/]+\.py)`", PAGE))))
def test_every_file_it_names_exists(name: str) -> None:
    assert (ROOT / "renderline" / name).exists() or (ROOT / name).exists()
