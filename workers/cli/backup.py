"""`renderline backup`: writes a consistent snapshot of the Redis server to a file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session, json_option, pass_session


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@pass_session
def backup(session: Session, file: Path) -> None:
    """Write a snapshot of the Redis server to FILE, over the connection alone.

    It is the server's own (RDB, with all its databases), as `redis-cli --rdb` makes it: consistent, of one moment. It
    holds scripts, tokens of the vendor and hashes of API keys: FILE is for this user alone. An existing FILE is
    replaced once the new one is complete.
    """
    from renderline.ledger.snapshot import SnapshotRefused, write_snapshot
    from workers.composition.connection import connect

    with connect(session.settings) as redis:
        try:
            size = write_snapshot(redis, file)
        except SnapshotRefused as refused:
            raise CommandError(str(refused), ExitCode.FAILED) from None
    outcome = {"file": str(file), "bytes": size, "redis": session.redis_name}
    session.answer(outcome, lambda: Text(f"{size:,} bytes from {session.redis_name} in {file}"))


COMMANDS = (backup,)
