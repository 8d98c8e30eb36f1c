"""The vendor's emulator as a forked process."""

from __future__ import annotations

from harness.fork_server import ForkedServer
from harness.processes import SandboxProcess


class ForkedSandbox(SandboxProcess, ForkedServer):
    """The sandbox, forked from a process that has imported it: it starts with a tenth of the work."""

    program = "sandbox"
