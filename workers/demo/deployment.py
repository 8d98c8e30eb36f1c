"""The environment of demo and `make up`: a directory, free ports, and the settings of every process."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import os
import secrets
import shlex
import socket
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from workers.processes.group import beside_this_python

# A developer's own settings must not send the demo to the real vendor.
_OURS = ("RENDERLINE_", "AISTUDIOS_", "REDIS_", "FLOWER_", "CELERY_")
_FLOWER_USER = "demo"
# Of Redis, the sandbox, the gateway, Flower.
_USUAL_PORTS = (6379, 8900, 8000, 5555)


def free_port(usual: int) -> int:
    """Return the usual port if nobody listens there on this machine, else a free one."""
    for port in (usual, 0):
        with socket.socket() as probe:
            # Connections of an earlier run that are still closing do not block the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no port is free on 127.0.0.1")


@contextlib.contextmanager
def reserved_ports(*usual: int) -> Iterator[tuple[int, ...]]:
    """Choose a free port for each usual one, and keep other runs of this user from choosing the same until the end."""
    with contextlib.ExitStack() as locks:
        yield tuple(_reserve(port, locks) for port in usual)


def _reserve(usual: int, locks: contextlib.ExitStack) -> int:
    for _ in range(100):
        port = free_port(usual)
        # Between this choice and the server's own bind another run could choose the port too.
        lock = locks.enter_context(_lock_file(port).open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            usual = 0
            continue
        return port
    raise OSError("no port is free on 127.0.0.1")


def _lock_file(port: int) -> Path:
    folder = Path(tempfile.gettempdir()) / f"renderline-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"port-{port}"


class DirectoryInUse(RuntimeError):
    """Another run is using the directory."""


@contextlib.contextmanager
def lock_directory(directory: Path) -> Iterator[None]:
    """Lock the directory for this process. Two Redis servers would write the same files: raises DirectoryInUse."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One of an earlier run may be open to others.
    directory.chmod(0o700)
    with (directory / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DirectoryInUse(
                f"another run is using {directory}: it is up already, and {directory / 'env'} has its addresses. "
                f'Stop it with Ctrl-C, or start another one beside it: make up ARGS="--directory {directory}-2"'
            ) from None
        yield


@dataclass(frozen=True)
class Deployment:
    """Addresses, secrets and directories of one run."""

    directory: Path
    redis_port: int
    redis_password: str
    sandbox_port: int
    gateway_port: int
    flower_port: int
    flower_password: str
    hook_secret: str
    render_seconds: float

    @classmethod
    @contextlib.contextmanager
    def choose(cls, directory: Path, *, render_seconds: float) -> Iterator[Deployment]:
        """Choose a deployment below `directory`, on usual ports where they are free; it has them in the block."""
        with reserved_ports(*_USUAL_PORTS) as (redis, sandbox, gateway, flower):
            yield cls(
                directory=directory,
                redis_port=redis,
                redis_password=secrets.token_urlsafe(24),
                sandbox_port=sandbox,
                gateway_port=gateway,
                flower_port=flower,
                flower_password=secrets.token_urlsafe(9),
                hook_secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
                render_seconds=render_seconds,
            )

    @property
    def moved(self) -> list[str]:
        """Return each usual port that was taken, with the one that was chosen."""
        chosen = (self.redis_port, self.sandbox_port, self.gateway_port, self.flower_port)
        return [f"{new} for {usual}" for usual, new in zip(_USUAL_PORTS, chosen, strict=True) if usual != new]

    @property
    def videos(self) -> Path:
        """Return the directory of finished videos."""
        return self.directory / "videos"

    @property
    def logs(self) -> Path:
        """Return the directory of the log files."""
        return self.directory / "log"

    @property
    def redis_url(self) -> str:
        """Return the address of the embedded Redis, with its password: loopback is open to all users of the machine."""
        return f"redis://:{self.redis_password}@127.0.0.1:{self.redis_port}/0"

    @property
    def sandbox_url(self) -> str:
        """Return the base of the emulated vendor."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def gateway_url(self) -> str:
        """Return the base URL of the gateway."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def flower_url(self) -> str:
        """Return the URL of Flower's page, without its password."""
        return f"http://127.0.0.1:{self.flower_port}/"

    @property
    def flower_login(self) -> tuple[str, str]:
        """Return Flower's user and password."""
        return _FLOWER_USER, self.flower_password

    @property
    def shell_file(self) -> Path:
        """Return the file with the deployment's settings for a terminal."""
        return self.directory / "env"

    def write_shell_file(self, environ: Mapping[str, str]) -> None:
        """Write that file from the environment of the processes, for this user alone: it holds secrets."""
        ours = {name: value for name, value in environ.items() if name.startswith(_OURS)}
        ours |= {"GATEWAY_URL": self.gateway_url, "FLOWER_URL": self.flower_url}
        lines = [f"export {name}={shlex.quote(value)}\n" for name, value in sorted(ours.items())]
        self.shell_file.touch(mode=0o600)
        self.shell_file.chmod(0o600)
        self.shell_file.write_text("".join(lines), encoding="utf-8")

    def environ(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of the processes: the caller's without Renderline settings, plus the deployment's."""
        kept = {name: value for name, value in outer.items() if not name.startswith(_OURS) and name != "PORT"}
        return {
            **beside_this_python(kept),
            # A developer's .env must not reach the demo either.
            "RENDERLINE_ENV_FILE": "",
            "REDIS_URL": self.redis_url,
            "AISTUDIOS_BASE_URL": self.sandbox_url,
            "AISTUDIOS_V2_BASE_URL": self.sandbox_url,
            "AISTUDIOS_APP_ID": "studioV3.demo",
            "AISTUDIOS_USER_KEY": secrets.token_hex(16),
            "AISTUDIOS_V2_SECRET_KEY": secrets.token_hex(16),
            "RENDERLINE_HOOK_SECRET": self.hook_secret,
            "RENDERLINE_SECRET_KEY": secrets.token_hex(32),
            "RENDERLINE_STORAGE_URL": self.videos.as_uri(),
            # The hook endpoint and the sandbox are on this machine.
            "RENDERLINE_ALLOW_PRIVATE_HOOKS": "true",
            # The gateway listens on loopback only, and a new user has no key.
            "RENDERLINE_API_KEYS_REQUIRED": "false",
            "RENDERLINE_POLL_MIN": "0.5",
            "RENDERLINE_POLL_MAX": "2",
            "RENDERLINE_SWEEP_EVERY": "2",
            # The sandbox processes calls at once or never, so evidence of a start shows early.
            "RENDERLINE_EVIDENCE_WINDOW": "10",
            "RENDERLINE_DATA_DIR": str(self.directory),
            "RENDERLINE_GATEWAY_BIND": f"127.0.0.1:{self.gateway_port}",
            "RENDERLINE_SANDBOX_PORT": str(self.sandbox_port),
            "RENDERLINE_SANDBOX_RENDER_SECONDS": f"{self.render_seconds:g}",
            "FLOWER_PORT": str(self.flower_port),
            "FLOWER_BASIC_AUTH": ":".join(self.flower_login),
        }
