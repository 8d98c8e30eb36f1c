"""The addresses at which this process listens, whatever opened them: a setting, an option, or its parent."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from collections.abc import Iterator

from config.parsers import is_loopback_host

# Linux has the first, macOS the second.
_DESCRIPTORS = ("/proc/self/fd", "/dev/fd")


def listening_beyond_loopback() -> str | None:
    """Return an address at which other machines may reach this process; None if there is none."""
    for host, port in _listening():
        if not is_loopback_host(host):
            return f"{host}:{port}"
    return None


def _listening() -> Iterator[tuple[str, int]]:
    folder = next((each for each in _DESCRIPTORS if os.path.isdir(each)), None)
    for name in os.listdir(folder) if folder else ():
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            with socket.socket(fileno=os.dup(int(name))) as found:
                if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
                    continue
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    address = found.getsockname()
                    yield str(address[0]), int(address[1])
