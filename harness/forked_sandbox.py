"""The vendor's emulator as a forked process."""

from __future__ import annotations

from pathlib import Path

from harness.fork_server import shared
from harness.ports import free_port
from harness.processes import SandboxProcess


class ForkedSandbox(SandboxProcess):
    """The sandbox, forked from a process that has imported it: it starts with a tenth of the work."""

    def __init__(self, log: Path, *options: str) -> None:
        self.log, self.port = log, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        argv = ["sandbox", "--port", str(self.port), *options]
        self.popen = shared("sandbox").fork(argv, log, {})  # type: ignore[assignment]
        self.wait_ready()
