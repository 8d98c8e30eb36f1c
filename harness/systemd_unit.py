"""A unit of deploy/systemd, run as systemd would: drop-in, specifiers, credentials, environment, notifications."""

from __future__ import annotations

import os
import queue
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from harness.processes import Process
from harness.samples import ROOT
from harness.waiting import until

FOLDER = ROOT / "deploy/systemd"
COMMON = FOLDER / "renderline-.service.d/10-every-process.conf"
CHECKOUT = "/opt/renderline"
SETTINGS = "/etc/renderline"


def options(*paths: Path) -> dict[str, list[str]]:
    """Return the options of the files, each with all its values in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        for line in path.read_text(encoding="utf-8").splitlines():
            name, sign, value = line.partition("=")
            if sign and not line.startswith("#"):
                found[name].append(value)
    return found


class RunningUnit(Process):
    """The process of a service, in an environment that holds nothing but what the unit gives it.

    `settings` stands for /etc/renderline: the folder of `renderline.env` and `secrets`. `environ` wins over all.
    """

    def __init__(self, service: str, *, settings: Path, state: Path, environ: Mapping[str, str]) -> None:
        template, _, instance = service.removesuffix(".service").partition("@")
        path = FOLDER / f"{template}{'@' if instance else ''}.service"
        self.options = options(COMMON, path)
        # An abstract name: the path of a test's folder is longer than a socket's may be.
        notified = f"renderline-{uuid.uuid4().hex}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{notified}")
        self._said: queue.Queue[str] = queue.Queue()
        # Read as it comes, as systemd does: a socket holds ten messages, and what comes then is lost.
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.log = state / f"{service}.log"
        credentials = state / f"{service}.credentials"
        self._load(credentials, settings)
        specifiers = {"%i": instance, "%H": socket.gethostname(), "%d": str(credentials), "%%": "%"}

        def expanded(value: str) -> str:
            value = re.sub("%.", lambda found: specifiers[found[0]], value)
            return value.replace("/var/lib/renderline", str(state))

        given = dict(one.split("=", 1) for line in self.options["Environment"] for one in shlex.split(expanded(line)))
        given |= dict(
            one.split("=", 1)
            for one in (settings / "renderline.env").read_text(encoding="utf-8").splitlines()
            if one and not one.startswith("#")
        )
        given |= dict(environ)
        self.environ = {"PATH": os.defpath, "NOTIFY_SOCKET": f"@{notified}", **given}
        (command,) = self.options["ExecStart"]
        command = re.sub(r"\$\{(\w+)\}", lambda found: self.environ[found[1]], expanded(command))
        self.command = shlex.split(command.replace(f"{CHECKOUT}/.venv/bin", str(Path(sys.executable).parent)))
        (folder,) = self.options["WorkingDirectory"]
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command,
                env=self.environ,
                cwd=folder.replace(CHECKOUT, str(ROOT)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _load(self, folder: Path, settings: Path) -> None:
        """Copy the credentials as `LoadCredential` does; one whose file is missing raises, as it fails the unit."""
        folder.mkdir(mode=0o700)
        for credential in self.options["LoadCredential"]:
            name, _, source = credential.partition(":")
            (folder / name).write_bytes(Path(source.replace(SETTINGS, str(settings))).read_bytes())

    def _read(self) -> None:
        while said := self._socket.recv(4096).decode():
            self._said.put(said)

    def wait_ready(self) -> None:
        """Wait until it says that it is ready."""
        while "READY=1" not in (said := self.notification()):
            assert self.popen.poll() is None, said

    def notification(self) -> str:
        """Return what it says next to systemd."""
        try:
            return self._said.get(timeout=60)
        except queue.Empty:
            raise AssertionError(f"it said nothing:\n{self.output()[-3000:]}") from None

    def stop(self, seconds: float = 60.0) -> int:
        """Stop it as the unit says: the signal to its first process. Return the exit code."""
        os.kill(self.popen.pid, getattr(signal, self.options["KillSignal"][-1]))
        until(lambda: self.popen.poll() is not None, seconds=seconds, what=f"{self.command[0]} has ended")
        return int(self.popen.returncode)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(60)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._reader.join(60)
        self._socket.close()
