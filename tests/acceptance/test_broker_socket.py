"""All processes over a Unix socket, each under its own user."""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness.broker_users import ASKED_AND_REFUSED, PASSWORDS, refusals, write_users
from harness.processes import SocketValkey
from harness.roles import Roles
from tests.acceptance.command_line import CommandLine


def test_every_process_works_over_a_socket(tmp_path: Path) -> None:
    # A socket's path may have 107 letters, fewer than some of pytest's directories.
    with (
        tempfile.TemporaryDirectory() as short,
        SocketValkey(Path(short), "--aclfile", str(write_users(Path(short)))) as server,
        Roles(server, tmp_path, lambda environ: CommandLine(environ, tmp_path)) as roles,
    ):
        render = roles.produce()
        assert roles.gateway.ask("GET", "/readyz").ok
        roles.watch()
        roles.operate(render)
        assert refusals(server) <= ASKED_AND_REFUSED
        seen = roles.everything_said()
        assert str(server.path) in seen
        assert not [password for password in PASSWORDS.values() if password in seen]
