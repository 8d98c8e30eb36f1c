"""`renderline` without its second of imports: a process that has imported the program forks for each command.

For tests that run many commands as people type them. The command gets its arguments, environment, folder and standard
streams from its caller, as a program does; how a process starts is shown by tests of `renderline` itself.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shlex
import socket
import sys
from pathlib import Path
from typing import Final, NoReturn, Self

from harness.processes import Process

_IMPORTED: Final = (
    "workers.application",
    "workers.cli.program",
    "workers.composition.services",
    "tasks.request",
    "tasks.submit",
    "tasks.poll",
    "tasks.hook",
    "rich.live",
    "rich.progress",
    "rich.table",
)
# The standard library alone, and little of it: this is what a command costs its caller.
_CALLER: Final = """\
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    asked = json.dumps([os.getcwd(), dict(os.environ), sys.argv[2:]]).encode()
    socket.send_fds(server, [len(asked).to_bytes(4, "big")], [0, 1, 2])
    server.sendall(asked)
    answer = server.recv(4)
sys.exit(int.from_bytes(answer, "big") if answer else 70)
"""


class WarmCommand:
    """The program `path`, to be called in the place of `renderline`; it works until the end of the `with` block."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "renderline"
        self._socket = directory / "warm.sock"
        caller = directory / "warm_caller.py"
        caller.write_text(_CALLER)
        command = shlex.join([sys.executable, "-ISE", str(caller), str(self._socket)])
        self.path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        self.path.chmod(0o755)
        self._log = directory / "warm.log"

    def __enter__(self) -> Self:
        self._process = Process([sys.executable, "-m", __name__, str(self._socket)], log=self._log)
        self._process.wait_until(self._socket.exists, what="the imported program")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()


def serve(path: str) -> NoReturn:
    """Fork for each caller until killed."""
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        # Renamed once it listens: where the file is, it answers.
        listening.bind(f"{path}.new")
        listening.listen()
        os.rename(f"{path}.new", path)
        while True:
            caller, _ = listening.accept()
            with caller:
                if os.fork() == 0:
                    listening.close()
                    _attend(caller)
            _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _attend(caller: socket.socket) -> NoReturn:
    """Run one command in a process of its own, and tell the caller how it ended."""
    size, streams, _, _ = socket.recv_fds(caller, 4, 3)
    asked = b""
    while len(asked) < int.from_bytes(size, "big"):
        asked += caller.recv(1 << 20)
    folder, environ, arguments = json.loads(asked)
    command = os.fork()
    if command == 0:
        caller.close()
        _run(folder, environ, arguments, streams)
    for stream in streams:
        os.close(stream)
    code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    caller.sendall((code if code >= 0 else 128 - code).to_bytes(4, "big"))
    os._exit(0)


def _run(folder: str, environ: dict[str, str], arguments: list[str], streams: list[int]) -> NoReturn:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environ)
    sys.argv = ["renderline", *arguments]
    importlib.import_module("workers.cli.program").main()
    sys.exit(0)


if __name__ == "__main__":
    serve(sys.argv[1])
