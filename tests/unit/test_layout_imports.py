"""What import-linter cannot see: test folders are no packages."""

import re

from harness import ROOT

BENCHMARKS = re.compile(r"^\s*(from|import) benchmarks\b", re.MULTILINE)


def test_only_the_tests_of_the_benchmarks_import_them():
    files = (ROOT / "tests").rglob("*.py")
    importing = {str(path.relative_to(ROOT)) for path in files if BENCHMARKS.search(path.read_text(encoding="utf-8"))}
    assert importing
    assert [path for path in importing if path.split("/")[-2] != "benchmarks"] == []
