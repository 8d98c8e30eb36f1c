"""The page about the vendor decides every contradiction of the vendor's pages, each with a module and a test."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import Final

import pytest

from harness import ROOT

SECTION: Final = (ROOT / "docs/vendor.md").read_text().partition("\n## Contradictions\n")[2].partition("\n## ")[0]
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in SECTION.splitlines()
    if re.match(r"\| *\d+ \|", line)
]
_TEST: Final = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
_MODULE: Final = re.compile(r"`([\w/]+\.py)`")


@cache
def parsed(path: str) -> ast.Module:
    """Return a module of tests, parsed once for all rows that name it."""
    return ast.parse((ROOT / path).read_text())


def numbers_of(path: str, name: str) -> set[int]:
    """Return the contradictions that a test says it is about."""
    (found,) = [one for one in parsed(path).body if isinstance(one, ast.FunctionDef) and one.name == name]
    marks = [one for one in found.decorator_list if isinstance(one, ast.Call)]
    return {
        number.value
        for one in marks
        if ast.unparse(one.func) == "pytest.mark.contradiction"
        for number in one.args
        if isinstance(number, ast.Constant)
    }


def test_all_of_them_are_listed_in_order():
    assert [int(row[0]) for row in ROWS] == list(range(1, 36))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_has_a_decision_a_module_and_a_test_that_names_it(row):
    assert len(row) == 5
    assert all(cell.strip("- ") for cell in row), row
    number, _conflict, _decision, modules, tests = row
    named = _MODULE.findall(modules)
    assert named
    for module in named:
        assert (ROOT / module).is_file() or (ROOT / "renderline" / module).is_file(), module
    for path, name in _TEST.findall(tests):
        assert int(number) in numbers_of(path, name), f"{path}::{name}"
    assert _TEST.findall(tests)


def test_each_test_about_one_is_in_the_table():
    listed = {(int(row[0]), *test) for row in ROWS for test in _TEST.findall(row[4])}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "mark.contradiction(" not in text:
            continue
        relative = path.relative_to(ROOT).as_posix()
        for one in parsed(relative).body:
            if isinstance(one, ast.FunctionDef):
                for number in numbers_of(relative, one.name):
                    assert (number, relative, one.name) in listed


@pytest.mark.contradiction(35)
def test_the_interactive_avatars_are_left_to_their_own_service():
    sources = [*(ROOT / "renderline/studio").rglob("*.py"), *(ROOT / "renderline/sandbox").rglob("*.py")]
    assert [path.name for path in sources if "/sessions/" in path.read_text()] == []
