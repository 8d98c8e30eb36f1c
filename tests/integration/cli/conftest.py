"""The command line in this process, against a real Valkey and without workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from harness import USER_KEY, Valkey
from workers.cli.program import cli


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)


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
def run(environ: dict[str, str], tmp_path: Path) -> Callable[..., Ended]:
    """Run a command; keyword arguments are further settings, `given` is its standard input."""

    def run(*arguments: str, given: str | bytes = "", **more: str) -> Ended:
        result = CliRunner().invoke(cli, arguments, input=given, env={**environ, **more})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def request_file(tmp_path: Path) -> Callable[..., str]:
    """Write a request file and return its path."""

    def write(content: Any, name: str = "request.json") -> str:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write
