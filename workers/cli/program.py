"""The command `renderline`: its groups of commands, and how every failure becomes an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from workers.cli.accounts import COMMANDS as ACCOUNTS
from workers.cli.completion import COMMANDS as COMPLETION
from workers.cli.dead import COMMANDS as DEAD
from workers.cli.doctor import COMMANDS as DOCTOR
from workers.cli.keys import COMMANDS as KEYS
from workers.cli.quarantine import COMMANDS as QUARANTINE
from workers.cli.reading import COMMANDS as READING
from workers.cli.session import Session, json_option
from workers.cli.steering import COMMANDS as STEERING
from workers.cli.submitting import COMMANDS as SUBMITTING
from workers.cli.trouble import Code, complain, explained
from workers.cli.vendor import COMMANDS as VENDOR
from workers.cli.watching import COMMANDS as WATCHING


class Program(click.Group):
    """A group whose failures are one line on standard error and the exit codes of `trouble`."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; what it raises is explained where it can be."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            trouble = explained(error)
            if trouble is None:
                raise
            raise trouble from None

    def main(self, args: Any = None, prog_name: str | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and leave the process with the exit code."""
        extra["standalone_mode"] = False
        try:
            result = super().main(args, prog_name or "renderline", **extra)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as asked:
            asked.show()
            sys.exit(Code.REFUSED)
        except click.UsageError as wrong:
            where = wrong.ctx.command_path if wrong.ctx else "renderline"
            complain(f"{wrong.format_message()} (see {where} --help)")
            sys.exit(Code.REFUSED)
        except click.ClickException as trouble:
            trouble.show()
            sys.exit(trouble.exit_code)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(Code.INTERRUPTED)
        except BrokenPipeError:
            # Whoever read our output has seen enough; there is nothing left to flush to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Code.FAILED)
        sys.exit(result if isinstance(result, int) else Code.DONE)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@json_option
@click.pass_context
def cli(context: click.Context) -> None:
    """Submit renders, follow them, and put right what went wrong.

    Works on the Redis of REDIS_URL with the same settings as a worker.

    \b
    Exit codes: 0 done, 1 a render or a check failed, 2 wrong arguments, request or setting,
    3 Redis cannot be reached, 4 timed out waiting, 5 no such render, hook, account or key.
    """
    context.ensure_object(Session)


for commands in (SUBMITTING, READING, WATCHING, STEERING, DEAD, QUARANTINE, ACCOUNTS, VENDOR, DOCTOR, KEYS, COMPLETION):
    for command in commands:
        cli.add_command(command)


def main() -> NoReturn:
    """Run the command line and exit."""
    cli.main()
