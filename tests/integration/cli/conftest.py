"""The command line in this process, against a real Valkey and without workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from harness import USER_KEY, Valkey
from harness.command_result import CommandResult
from workers.cli.program import cli


@pytest.fixture
def environ(valkey: Valkey, redis: Redis, tmp_path: Path) -> dict[str, str]:
    return {
        "REDIS_URL": valkey.url,
        "AISTUDIOS_APP_ID": "studioV3.tests",
        "AISTUDIOS_USER_KEY": USER_KEY,
        "AISTUDIOS_BASE_URL": "http://127.0.0.1:9",
        "RENDERLINE_STORAGE_URL": (tmp_path / "videos").as_uri(),
    }


@pytest.fixture
def run(environ: dict[str, str], tmp_path: Path) -> Callable[..., CommandResult]:
    """Run a command; keyword arguments are further settings, `given` is its standard input."""

    def run(*arguments: str, given: str | bytes = "", **more: str) -> CommandResult:
        result = CliRunner().invoke(cli, arguments, input=given, env={**environ, **more})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def request_file(tmp_path: Path) -> Callable[..., str]:
    """Write a request file and return its path."""

    def write(content: Any, name: str = "request.json") -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write
