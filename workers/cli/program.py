"""The command `renderline`: its commands, and the exit code of each failure."""

from __future__ import annotations

import os
import sys
from typing import Any, NoReturn

import click

from workers.cli.accounts import COMMANDS as ACCOUNTS
from workers.cli.audit import COMMANDS as AUDIT
from workers.cli.avatars import COMMANDS as AVATARS
from workers.cli.backup import COMMANDS as BACKUP
from workers.cli.completion import COMMANDS as COMPLETION
from workers.cli.dead_letters import COMMANDS as DEAD_LETTERS
from workers.cli.doctor import COMMANDS as DOCTOR
from workers.cli.editor_projects import COMMANDS as EDITOR_PROJECTS
from workers.cli.errors import ExitCode, as_command_error, print_error
from workers.cli.explain import COMMANDS as EXPLAIN
from workers.cli.forgetting import COMMANDS as FORGETTING
from workers.cli.generators import COMMANDS as GENERATORS
from workers.cli.hooks import COMMANDS as HOOKS
from workers.cli.keys import COMMANDS as KEYS
from workers.cli.links import COMMANDS as LINKS
from workers.cli.migrate import COMMANDS as MIGRATE
from workers.cli.operations import COMMANDS as OPERATIONS
from workers.cli.pick_lists import COMMANDS as PICK_LISTS
from workers.cli.probe import COMMANDS as PROBE
from workers.cli.quarantine import COMMANDS as QUARANTINE
from workers.cli.reconcile import COMMANDS as RECONCILE
from workers.cli.redis_users import COMMANDS as REDIS_USERS
from workers.cli.reindex import COMMANDS as REINDEX
from workers.cli.run import COMMANDS as RUN
from workers.cli.session import Session, json_option
from workers.cli.status import COMMANDS as STATUS
from workers.cli.submit import COMMANDS as SUBMIT
from workers.cli.top import COMMANDS as TOP
from workers.cli.uploads import COMMANDS as UPLOADS
from workers.cli.v2 import COMMANDS as V2
from workers.cli.version import version_option
from workers.cli.watch import COMMANDS as WATCH


class Program(click.Group):
    """A group of commands. A failure is one line on standard error and an exit code of `errors.ExitCode`."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; known exceptions become a `CommandError`."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            known = as_command_error(error)
            if known is None:
                raise
            raise known from None

    def main(self, args: Any = None, prog_name: str | None = None, *_: Any, **extra: Any) -> NoReturn:
        """Run, and end the process with the exit code."""
        extra["standalone_mode"] = False
        try:
            result = super().main(args, prog_name or "renderline", **extra)
            sys.stdout.flush()
        except click.exceptions.NoArgsIsHelpError as asked:
            asked.show()
            sys.exit(ExitCode.REFUSED)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "renderline"
            print_error(f"{error.format_message()} (see {command} --help)")
            sys.exit(ExitCode.REFUSED)
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            sys.exit(ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # The reader of our output is gone. Flushing at exit would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(ExitCode.FAILED)
        sys.exit(result if isinstance(result, int) else ExitCode.DONE)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@json_option
@version_option
@click.pass_context
def cli(context: click.Context) -> None:
    """Submit renders, watch them, and repair what went wrong.

    Works on the Redis of REDIS_URL, with the same settings as a worker.

    \b
    Exit codes: 0 done, 1 a render or a check failed, 2 wrong arguments, request or setting,
    3 Redis cannot be reached, 4 timed out, 5 render, hook, account or key not found.
    """
    context.ensure_object(Session)


for commands in (
    SUBMIT,
    UPLOADS,
    STATUS,
    WATCH,
    TOP,
    EXPLAIN,
    OPERATIONS,
    FORGETTING,
    LINKS,
    DEAD_LETTERS,
    HOOKS,
    QUARANTINE,
    ACCOUNTS,
    PICK_LISTS,
    EDITOR_PROJECTS,
    GENERATORS,
    AVATARS,
    V2,
    RUN,
    DOCTOR,
    PROBE,
    MIGRATE,
    REINDEX,
    BACKUP,
    RECONCILE,
    REDIS_USERS,
    KEYS,
    AUDIT,
    COMPLETION,
):
    for command in commands:
        cli.add_command(command)

cli.add_command(cli.commands["status"], "show")


def main() -> NoReturn:
    """Run the command line and exit."""
    cli.main()
