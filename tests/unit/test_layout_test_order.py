"""The order in which the test modules begin."""

from pathlib import PurePosixPath

from harness import ROOT
from tests.longest_first import LONGEST, place


def test_every_module_that_begins_early_exists():
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []


def test_the_longest_begin_first_then_folder_by_folder():
    names = ["unit/test_contract.py", "integration/test_operations.py", "acceptance/test_flow.py", *reversed(LONGEST)]
    ordered = sorted(map(PurePosixPath, names), key=place)
    assert [str(one) for one in ordered] == [*LONGEST, *names[2::-1]]
