"""Settings and files of a careless installation: weak secrets, open addresses, readable files."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import Target
from config import settings
from harness import free_port

_WEAK: Final = {
    "FLOWER_BASIC_AUTH": ("admin:admin", "user:password", "operator:1234", "a:b", "root:root", "flower:flower"),
    "RENDERLINE_SECRET_KEY": (
        "a" * 32,
        "changeme" * 4,
        "0123456789abcdef" * 2,
        "12345678901234567890123456789012",
        "secret-secret-secret-secret-secret",
    ),
    "RENDERLINE_HOOK_SECRET": ("whsec_" + "A" * 44, "whsec_" + "QUFB" * 11),
}

_BEYOND: Final = ("0.0.0.0:8000", "[::]:8000", "192.0.2.1:8000")
_REACHABLE: Final = {"FLOWER_ADDRESS": "0.0.0.0", "RENDERLINE_PUBLIC_URL": "https://renders.example.com"}
"""Settings are read here, and nothing listens: beyond loopback secrets must be strong."""


@attack("weak-secrets", "passwords and keys that are short, repeated or known")
def weak_secrets(target: Target, long: bool) -> Finding:
    taken, showing = [], 0
    for name, values in _WEAK.items():
        for value in values:
            environ = {**target.environ, **_REACHABLE, name: value}
            refusal = _refusal(environ, "flower" if name.startswith("FLOWER") else "gateway")
            if name not in refusal:
                taken.append(f"{name}={value[:16]}")
            showing += len(value) > 16 and value in refusal
    count = sum(map(len, _WEAK.values()))
    figure = f"{count - len(taken)} of {count} refused, {showing} shown" + (f"; taken: {taken[0]}" if taken else "")
    return Finding(not taken and not showing, figure)


def _refusal(environ: dict[str, str], role: settings.Role) -> str:
    """Return what is said against these settings; empty if they are taken."""
    try:
        settings.load(environ, role=role)
    except settings.SettingsError as problem:
        return str(problem)
    return ""


@attack("open-address", "a gateway without API keys that would listen beyond this machine")
def open_address(target: Target, long: bool) -> Finding:
    started = []
    for address in _BEYOND:
        environ = {
            **target.environ,
            "RENDERLINE_API_KEYS_REQUIRED": "false",
            "RENDERLINE_GATEWAY_BIND": address,
        }
        # Only the application is built: nothing listens, whatever the answer.
        done = subprocess.run(
            [sys.executable, "-c", "from workers.gateway import create; create()"],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode == 0:
            started.append(address)
    return Finding(not started, f"{len(_BEYOND) - len(started)} of {len(_BEYOND)} addresses refused")


@attack("file-modes", "other users of the machine that read what the processes write")
def file_modes(target: Target, long: bool) -> Finding:
    directory = target.directory / "careless"
    environ = {
        **os.environ,
        **target.environ,
        "REDIS_URL": f"redis://:kV3-embedded-9Qz@127.0.0.1:{free_port()}/0",
        "RENDERLINE_DATA_DIR": str(directory),
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "workers.embedded_redis"],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        umask=0o022,
    )
    try:
        deadline = time.monotonic() + 30
        while not list(directory.rglob("*.aof")) and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        server.kill()
        server.wait()
    assert target.flower.running
    places = [directory, Path(target.environ["RENDERLINE_DATA_DIR"])]
    files = [path for place in places if place.exists() for path in place.rglob("*")]
    open_to_others = [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077 and _reachable(path, places)]
    assert files
    names = ", ".join(sorted({path.name for path in open_to_others})[:4])
    return Finding(
        not open_to_others, f"{len(open_to_others)} of {len(files)} open to others" + f" ({names})" * bool(names)
    )


def _reachable(path: Path, places: list[Path]) -> bool:
    """Return whether no folder above it, up to the process's own, keeps others out."""
    own = next(place for place in places if path.is_relative_to(place))
    above = [folder for folder in path.parents if folder.is_relative_to(own)]
    return all(stat.S_IMODE(folder.stat().st_mode) & 0o011 for folder in above)
