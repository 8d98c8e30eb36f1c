"""`renderline run`: starts the Procfile's processes, restarts alone each that dies, and stops them together."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from workers.cli.errors import CommandError, ExitCode, plain
from workers.cli.session import Session, pass_session

if TYPE_CHECKING:
    from workers.processes.group import Processes

_USUAL = ("worker", "gateway", "flower")
"""Redis and the sandbox are started only if they are named: a real deployment has its own."""

_MANY = "worker"
"""The one kind of which several run side by side: each of the others listens at one address."""

_MOST = 100

_REST = 5.0
"""Seconds beyond RENDERLINE_SHUTDOWN_TIMEOUT after which a process is killed."""


@click.command()
@click.argument("processes", nargs=-1, metavar="[PROCESS[=COUNT]]...")
@pass_session
def run(session: Session, processes: tuple[str, ...]) -> None:
    """Start processes of the Procfile and keep them running: worker, gateway and flower, or those that are named.

    The settings are those of the environment and of .env. A process that dies is started again, alone. SIGTERM or
    Ctrl-C stops them all; workers finish their tasks first. worker=3 starts three workers.
    """
    from workers.processes import procfile

    try:
        known = procfile.commands()
    except OSError as error:
        why = f"{procfile.PATH}: {error.strerror}; run it in a checkout, and in containers one process in each"
        raise CommandError(why, ExitCode.REFUSED) from None
    counts = counted(processes or _USUAL, known)
    _check_settings(counts)
    session.change()
    raise SystemExit(_run(session, counts))


def counted(wanted: Sequence[str], known: Mapping[str, str]) -> dict[str, int]:
    """Return how many processes of each kind are wanted, in the given order; raises CommandError."""
    counts: dict[str, int] = {}
    for text in wanted:
        kind, _, number = text.partition("=")
        if kind not in known:
            raise CommandError(f"{kind!r} is no process; the Procfile has {', '.join(known)}", ExitCode.REFUSED)
        if kind in counts:
            raise CommandError(f"{kind} is named twice; {kind}=2 starts two", ExitCode.REFUSED)
        count = int(number or 1) if (number or "1").isdecimal() else 0
        if not 1 <= count <= _MOST or (text.endswith("=")):
            raise CommandError(f"{text!r}: the count must be a whole number from 1 to {_MOST}", ExitCode.REFUSED)
        if count > 1 and kind != _MANY:
            why = (
                f"{text!r}: only one {kind} runs here, because it listens at one address; of {_MANY} there may be more"
            )
            raise CommandError(why, ExitCode.REFUSED)
        counts[kind] = count
    return counts


def _check_settings(kinds: Mapping[str, int]) -> None:
    """Raise CommandError with every bad setting and taken address of all kinds, before anything has started."""
    from config import settings
    from config.env_file import environment
    from workers.processes import addresses
    from workers.processes.procfile import ROLES

    problems: dict[str, None] = {}
    for kind in kinds:
        if kind in ROLES:
            try:
                found = settings.load(environment(), role=ROLES[kind])
            except settings.SettingsError as error:
                problems.update(dict.fromkeys(str(error).splitlines()))
            else:
                problems.update(dict.fromkeys(addresses.problems([kind], found)))
    if problems:
        raise CommandError(problems, ExitCode.REFUSED)


def _run(session: Session, counts: Mapping[str, int]) -> int:
    """Run the processes until a signal comes or one of them cannot run; returns the exit code."""
    from config.env_file import environment
    from workers.processes import procfile
    from workers.processes.group import ProcessEnded, Processes, beside_this_python
    from workers.processes.leaving import leave_on_signals
    from workers.processes.output import Prefixed

    names = [name for kind, count in counts.items() for name in procfile.names(kind, count)]
    output = Prefixed(sys.stdout.buffer, [_OURS, *names], colours=sys.stdout.isatty())

    def say(line: str) -> None:
        output.write(_OURS, plain(line).encode())

    running = Processes(
        beside_this_python(environment()),
        output=output,
        counts=counts,
        patience=session.settings.shutdown_timeout + _REST,
    )
    leave_on_signals()
    try:
        with running:
            running.start(*counts)
            say(f"on Redis {session.redis_name}: {', '.join(_with_pids(running))}; Ctrl-C stops them all")
            running.keep(say)
    except ProcessEnded as ended:
        say(f"{ended}; all are stopped")
        return ExitCode.REFUSED
    except (KeyboardInterrupt, SystemExit) as signalled:
        say("all are stopped")
        return ExitCode.INTERRUPTED if isinstance(signalled, KeyboardInterrupt) else ExitCode.DONE
    return ExitCode.DONE


_OURS = "run"
"""Stands before the lines of this command itself."""


def _with_pids(running: Processes) -> list[str]:
    return [f"{name} (process {pid})" for name, pid in running.pids.items()]


COMMANDS = (run,)
