"""What holds for every command, and how the console script finds its application."""

import importlib
import json
import re
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from harness import ROOT
from renderline import command
from renderline.gateway.access import SCOPES
from workers.cli import errors, keys
from workers.cli.errors import CommandError, as_command_error, plain
from workers.cli.program import cli

WITHOUT_JSON = {"v2", "avatars", "completion", "dead", "generate", "hooks", "keys", "quarantine", "run"}


def commands(group=cli, path=()):
    for name, one in group.commands.items():
        yield (*path, name), one
        if isinstance(one, click.Group):
            yield from commands(one, (*path, name))


@pytest.mark.parametrize(("path", "one"), [pytest.param(*found, id=" ".join(found[0])) for found in commands()])
def test_every_command_has_help_and_json(path, one):
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    assert one.help
    assert path[-1] in WITHOUT_JSON or any("--json" in parameter.opts for parameter in one.params)


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_completion_scripts(shell):
    result = CliRunner().invoke(cli, ["completion", shell])
    assert result.exit_code == 0
    assert "_RENDERLINE_COMPLETE" in result.stdout


def test_a_shell_gets_its_completions():
    result = CliRunner().invoke(
        cli,
        env={"_RENDERLINE_COMPLETE": "bash_complete", "COMP_WORDS": "renderline re", "COMP_CWORD": "1"},
        prog_name="renderline",
    )
    assert result.stdout.split() == [
        "plain,reconcile",
        "plain,redis-users",
        "plain,reindex",
        "plain,release",
        "plain,replay",
        "plain,restore",
        "plain,resubmit",
        "plain,resume",
        "plain,retry",
    ]


def test_help_loads_nothing_slow():
    code = (
        "import sys; from workers.cli import program; "
        "print([name for name in ('celery', 'redis', 'marshmallow', 'flask', 'requests') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_show_and_status_are_one_command():
    assert cli.commands["show"] is cli.commands["status"]


def test_a_wrong_command_is_one_line():
    result = CliRunner().invoke(cli, ["sumbit"])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1


def test_no_command_shows_the_help():
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_the_version_says_what_runs_and_where():
    shown = CliRunner().invoke(cli, ["--version"]).stdout
    assert re.fullmatch(rf"renderline \d\S+ \(Python 3\.\d\S+, Celery 5\S+, redis-py \S+\) in {ROOT}\n", shown)
    as_json = json.loads(CliRunner().invoke(cli, ["--json", "--version"]).stdout)
    assert as_json["code"] == str(ROOT)
    assert as_json["renderline"] in shown


def test_a_bug_is_not_a_command_error():
    assert as_command_error(KeyError("x")) is None


@pytest.mark.parametrize(("module", "name", "code"), errors._KNOWN)
def test_the_errors_of_the_application_are_found_by_the_names_that_they_have(module, name, code):
    kind = getattr(importlib.import_module(module), name)
    try:
        error = kind("broken")
    except (TypeError, AttributeError):
        error = kind({"kind": ["broken"]})
    known = as_command_error(error)
    assert known
    assert known.code == code
    assert "broken" in str(known)


def test_a_command_error_is_a_line_each(capsys):
    CommandError(["one", "two\nlines"]).show()
    assert capsys.readouterr().err == "renderline: one\nrenderline: two lines\n"


def test_plain_text_cannot_command_a_terminal():
    assert plain("a\x1b[31m\nb\tc\x00") == "a\N{REPLACEMENT CHARACTER}[31m b c\N{REPLACEMENT CHARACTER}"


def test_the_scopes_are_those_of_the_gateway():
    assert keys.SCOPES == SCOPES


def application(folder, *, installed=False):
    for part in command._APPLICATION:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        (folder / part).touch()
    if installed:
        (folder / "renderline-0.1.0.dist-info").mkdir()
    (folder / "renderline").mkdir()
    script = folder / "renderline" / "command.py"
    with open(command.__file__) as source:
        script.write_text(source.read())
    return script


def run(script):
    return subprocess.run([sys.executable, "-P", script, "--help"], capture_output=True, text=True, check=False)


def test_the_console_script_runs_the_application_around_it(tmp_path):
    script = application(tmp_path)
    (tmp_path / "workers" / "__init__.py").touch()
    (tmp_path / "workers" / "cli" / "__init__.py").write_text("def main(): print('ours')")
    assert run(script).stdout == "ours\n"


def test_beside_an_installed_package_the_others_are_somebody_elses(tmp_path):
    script = application(tmp_path, installed=True)
    (tmp_path / "workers" / "__init__.py").write_text("print('a foreign package was imported')")
    done = run(script)
    assert (done.returncode, done.stdout) == (2, "")
    assert "checkout or container" in done.stderr


def test_a_foreign_package_in_front_is_not_imported(tmp_path):
    script = application(tmp_path / "ours")
    (tmp_path / "ours" / "workers" / "__init__.py").touch()
    (tmp_path / "theirs" / "workers").mkdir(parents=True)
    (tmp_path / "theirs" / "workers" / "__init__.py").write_text("print('a foreign package was imported')")
    (tmp_path / "front.py").write_text(
        "import importlib.machinery as m, runpy, sys\n"
        "class Front:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'workers':\n"
        f"            return m.PathFinder.find_spec(name, [{str(tmp_path / 'theirs')!r}])\n"
        "sys.meta_path.insert(0, Front())\n"
        f"runpy.run_path({str(script)!r}, run_name='__main__')\n"
    )
    done = run(tmp_path / "front.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "another package called workers" in done.stderr


def test_without_the_packages_of_the_application_it_says_so(tmp_path):
    script = application(tmp_path)
    (tmp_path / "workers" / "__init__.py").touch()
    (tmp_path / "workers" / "cli" / "__init__.py").write_text("import no_such_package")
    done = run(script)
    assert done.returncode == 2
    assert "no_such_package is not installed" in done.stderr
