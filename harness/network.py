"""A network of its own for a program: only the loopback interface, on which every port is free."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

_PROGRAM = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14s", b"lo", 0x1 | 0x40, b""))
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Sets the flags UP and RUNNING of the interface lo, then becomes the program."""


def alone(*command: str) -> list[str]:
    """Return the command line that runs the program in such a network (Linux; as any user, where that is allowed)."""
    return ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-c", _PROGRAM, *command]


def missing() -> str | None:
    """Return why there can be none on this machine, None if there can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    made = subprocess.run(alone("true"), capture_output=True, text=True, check=False, env={**os.environ})
    return None if made.returncode == 0 else f"no network namespace: {made.stderr.strip()}"
