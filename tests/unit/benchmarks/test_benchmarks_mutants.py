"""Every threat of the security page names tests that exist, and each of them was seen to fail without its defence."""

from __future__ import annotations

import re

import pytest

from benchmarks.mutants.mutant import Mutant, NotApplicable, mutants, threats
from harness import ROOT

THREATS = threats()
MUTANTS = mutants()


def test_the_threat_model_is_read_from_the_page() -> None:
    assert len(THREATS) > 30
    assert all(all((one.asset, one.attacker, one.path, one.defence)) for one in THREATS)


def test_every_threat_names_a_test() -> None:
    assert [one.path for one in THREATS if not one.tests] == []


@pytest.mark.parametrize("test", sorted({test for one in THREATS for test in one.tests}))
def test_every_test_of_a_threat_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file()
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE)


def test_every_test_of_a_threat_has_a_mutant_and_no_other_has_one() -> None:
    assert {one.test for one in MUTANTS} == {test for one in THREATS for test in one.tests}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.test)
def test_every_mutant_fits_the_tree(mutant: Mutant) -> None:
    assert mutant.apply(ROOT) != (ROOT / mutant.file).read_text()


def test_a_mutant_whose_text_is_gone_is_an_error_that_names_it() -> None:
    gone = Mutant("tests/x.py::test_x", "README.md", "no such text in it", "")
    with pytest.raises(NotApplicable, match=r"tests/x\.py::test_x: README\.md holds the text to replace 0 times"):
        gone.apply(ROOT)
