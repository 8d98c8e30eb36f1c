"""`renderline redis-users`: the ACL file for Redis, and the address of each role."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import click
from rich.text import Text

from workers.cli.errors import CommandError, ExitCode
from workers.cli.session import Session, json_option, pass_session


@click.command("redis-users")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--hook-queue",
    "hook_queues",
    multiple=True,
    metavar="QUEUE",
    help="A queue to which celery hooks publish; repeatable. * stands for any text.",
)
@json_option
@pass_session
def redis_users(session: Session, directory: Path, hook_queues: Sequence[str]) -> None:
    """Write the users of Redis to DIRECTORY: users.acl for the server, and the address of each role.

    The address is there twice: in an env file as REDIS_URL, and alone for REDIS_URL_FILE. The passwords are random.
    Host, port, database and TLS options are those of REDIS_URL. Existing files stay as they are: for other passwords,
    name another directory.
    """
    from config import redis_address, redis_users

    url = session.settings.redis_url
    passwords = {role: secrets.token_urlsafe(32) for role in redis_users.ROLES}
    try:
        rules = redis_users.acl_file(passwords, database=redis_address.read(url).database, hook_queues=hook_queues)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.REFUSED) from None
    files = {"users.acl": rules}
    for role in redis_users.ROLES:
        address = redis_users.redis_url(url, role, passwords[role])
        # For `.` in a shell, and for REDIS_URL_FILE.
        files |= {f"{role}.env": f"REDIS_URL={address}\n", f"{role}.url": f"{address}\n"}
    _write(directory, files)
    shown = [str(directory / name) for name in files]
    hint = f"Written: {', '.join(shown)}\nStart Redis with: aclfile {directory.resolve() / 'users.acl'}"
    session.answer({"files": shown}, lambda: Text(hint))


def _write(directory: Path, files: dict[str, str]) -> None:
    """Write new files that only this user can read."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if there := [name for name in files if (directory / name).exists()]:
            raise CommandError(f"{directory} holds {there[0]} already; name another directory", ExitCode.REFUSED)
        for name, text in files.items():
            descriptor = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise CommandError(f"cannot write to {directory}: {error.strerror}", ExitCode.REFUSED) from None


COMMANDS = (redis_users,)
