"""What one command uses, created on first use: settings, ledger, use cases, consoles.

Slow imports are inside the functions, so that help and shell completion start fast (a test measures it).
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workers.cli.errors import CommandError, ExitCode, print_error

if TYPE_CHECKING:
    from rich.console import Console

    from config.settings import Settings
    from renderline.explanation import Explainer
    from renderline.ledger import Commands, Ledger, Queries
    from renderline.operations import Operations
    from tasks.services import Services
    from workers.application import Renderline

F = TypeVar("F", bound=Callable[..., Any])

_WIDE = 240
"""Width of tables that are not written to a terminal."""


class Session:
    """One run of the command line. With `as_json`, standard output holds one JSON value and nothing else."""

    as_json = False
    _said = False

    @cached_property
    def request_id(self) -> str:
        """Return the id of this run, which goes with the renders that it submits."""
        return uuid.uuid4().hex

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of the environment; raises SettingsError."""
        from config import logging, settings
        from config.env_file import environment

        chosen = settings.load(environment(), role="gateway")
        logging.configure(level="ERROR", secrets=chosen.secrets())
        return chosen

    @cached_property
    def app(self) -> Renderline:
        """Return a Celery application for the settings."""
        from workers.application import create_app

        return create_app(self.settings)

    @cached_property
    def services(self) -> Services:
        """Return the use cases. If they cannot publish, standard error says so."""
        services = self.app.services
        services.dispatcher.on_unpublished = _note_unpublished
        return services

    @cached_property
    def ledger(self) -> Ledger:
        """Return the ledger; raises `SchemaMismatch` if it has another schema than this program."""
        from renderline.ledger.schema import check_schema

        ledger = self.services.ledger
        check_schema(ledger.redis, prefix=ledger.prefix)
        return ledger

    def change(self) -> None:
        """Check that a setting chose the Redis that this command is about to change, and name it on a terminal.

        Raises CommandError without one: what listens at the usual address may be another installation's.
        """
        from config import redis_address, secret_file
        from config.env_file import environment

        if not secret_file.is_given(environment(), "REDIS_URL"):
            usual = redis_address.shown(self.settings.redis_url)
            raise CommandError(
                f"REDIS_URL is unset, and what listens at {usual} may be another installation's: nothing was changed; "
                "set it, in the environment or in .env; after make up: . var/up/env",
                ExitCode.REFUSED,
            )
        if sys.stderr.isatty() and not self._said:
            self._said = True
            click.echo(f"on {redis_address.shown(self.settings.redis_url)}", err=True)

    @property
    def operations(self) -> Operations:
        """Return the operations on renders, hooks and accounts."""
        self.change()
        self.ledger  # noqa: B018 (checks the schema)
        return self.services.operations

    @property
    def redis_name(self) -> str:
        """Return host, port and database of REDIS_URL."""
        from config import redis_address

        return redis_address.shown(self.settings.redis_url)

    @cached_property
    def commands(self) -> Commands:
        """Return the ledger's steps that report on accounts."""
        from renderline.ledger import Commands

        return Commands(self.ledger)

    @cached_property
    def queries(self) -> Queries:
        """Return the queries over all renders."""
        from renderline.ledger import Queries

        return Queries(self.ledger, labels=self.settings.labels)

    @cached_property
    def explainer(self) -> Explainer:
        """Return what explains renders."""
        from workers.composition.explanation import explainer

        return explainer(self.ledger, self.settings)

    @cached_property
    def console(self) -> Console:
        """Return the console on standard output, for results."""
        return self._console(sys.stdout)

    @cached_property
    def progress_console(self) -> Console:
        """Return the console on standard error, for progress."""
        return self._console(sys.stderr)

    @staticmethod
    def _console(file: Any) -> Console:
        from rich.console import Console

        return Console(file=file, width=None if file.isatty() else _WIDE, highlight=False)

    def answer(self, value: Any, show: Callable[[], Any]) -> None:
        """Write the result: `value` with `--json`, else what `show` returns."""
        if self.as_json:
            write_json(value)
        elif (shown := show()) is not None:
            self.console.print(shown)


def _note_unpublished(error: Exception) -> None:
    """Report that a change was recorded, although its message was not published."""
    print_error(f"recorded, but {error}; the sweep of a running worker sends it later")


def write_json(value: Any) -> None:
    """Write one JSON value: on one line, or indented for a terminal."""
    click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None))


pass_session = click.make_pass_decorator(Session, ensure=True)


def json_option(command: F) -> F:
    """Add `--json` to a command."""

    def remember(context: click.Context, _parameter: click.Parameter, value: bool) -> None:
        if value:
            context.ensure_object(Session).as_json = True

    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=remember,
        help="Write JSON to standard output, and nothing else.",
    )(command)
