"""The command line as a process, as people and scripts run it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from redis import Redis

from harness import ROOT, until
from harness.command_result import CommandResult
from renderline.ledger import Ledger
from workers.cli.program import cli

if TYPE_CHECKING:
    from tests.acceptance.conftest import System

COMMAND = [sys.executable, "-P", str(ROOT / "renderline" / "command.py")]


@dataclass(frozen=True)
class CommandLine:
    """Runs `renderline` with the settings `environ`, in a folder that is not the checkout."""

    environ: Mapping[str, str]
    folder: Path

    @property
    def whole(self) -> dict[str, str]:
        """Return the environment of a run."""
        return {**os.environ, **self.environ}

    def __call__(self, *arguments: str, given: str = "", seconds: float = 60, **environ: str) -> CommandResult:
        """Run it with these arguments and standard input, and return how it ended."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            input=given,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env={**self.whole, **environ},
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str, given: str = "", code: int = 0, **environ: str) -> Any:
        """Run it with `--json`, check the exit code, and return the value on standard output."""
        ended = self(*arguments, "--json", given=given, **environ)
        assert ended.code == code, ended
        return ended.value


class CommandLineHere(CommandLine):
    """The same in this process, without the second that a new one needs: for tests of what a command does."""

    def __call__(self, *arguments: str, given: str = "", seconds: float = 60, **environ: str) -> CommandResult:
        """Run it with these arguments and standard input, and return how it ended."""
        with contextlib.chdir(self.folder):
            result = CliRunner().invoke(cli, arguments, input=given, env={**self.environ, **environ})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)


def reach(system: System, render_id: str, state: str, *, seconds: float = 60) -> dict[str, Any]:
    """Return the record of a render once it is in that state; fails the test if it does not come to it."""
    seen: dict[str, Any] = {}
    with Redis.from_url(system.valkey.url, decode_responses=True) as client:
        ledger = Ledger(client)

        def there() -> bool:
            seen.update(ledger.record(render_id) or {})
            return seen.get("state") == state

        try:
            until(there, seconds=seconds)
        except AssertionError:
            pytest.fail(f"never {state}: {seen}")
    return seen
