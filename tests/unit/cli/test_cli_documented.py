"""The page on the command line names every command and option that there is."""

import re

import click
import pytest

from harness import ROOT
from tests.unit.cli.test_cli_program import commands
from workers.cli.errors import ExitCode

PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "one"), [pytest.param(*found, id=" ".join(found[0])) for found in commands()])
def test_each_command_and_option(path, one):
    if not isinstance(one, click.Group):
        assert re.search(rf"[`(\n ]{' '.join(path)}\b", PAGE)
    for parameter in one.params:
        if isinstance(parameter, click.Option):
            assert any(option in PAGE for option in parameter.opts)


def test_each_exit_code():
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)} == {
        int(code) for code in ExitCode
    }
