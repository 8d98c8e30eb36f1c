"""What one command works with, opened when it is first asked for: settings, ledger, use cases, where to write.

The slow imports stand inside the functions, so that help and shell completion answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import click

from workers.cli.trouble import complain

if TYPE_CHECKING:
    from rich.console import Console

    from config.settings import Settings
    from renderline.ledger import Commands, Ledger, Queries
    from renderline.operations import Operations
    from tasks.services import Services
    from workers.application import Renderline

F = TypeVar("F", bound=Callable[..., Any])

# Where nobody looks at the width, tables are as wide as they need to be.
_WIDE = 240


class Session:
    """One run of the command line. `as_json`: one JSON value on standard output and nothing else."""

    as_json = False

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of the environment; raises SettingsError."""
        from config import logging, settings

        chosen = settings.load(os.environ, role="gateway")
        logging.configure(level="ERROR", secrets=chosen.secrets())
        return chosen

    @cached_property
    def app(self) -> Renderline:
        """Return a Celery application for the settings."""
        from workers.application import create_app

        return create_app(self.settings)

    @cached_property
    def services(self) -> Services:
        """Return the use cases. They say on standard error what they could not publish."""
        services = self.app.services
        services.dispatcher.on_unpublished = _note_unpublished
        return services

    @property
    def ledger(self) -> Ledger:
        """Return the ledger."""
        return self.services.ledger

    @property
    def operations(self) -> Operations:
        """Return the operations on renders, hooks and accounts."""
        return self.services.operations

    @cached_property
    def commands(self) -> Commands:
        """Return what tells how accounts stand."""
        from renderline.ledger import Commands

        return Commands(self.ledger)

    @cached_property
    def listing(self) -> Queries:
        """Return the queries over all renders."""
        from renderline.ledger import Queries

        return Queries(self.ledger)

    @cached_property
    def console(self) -> Console:
        """Return where results for people go: standard output."""
        return self._console(sys.stdout)

    @cached_property
    def aside(self) -> Console:
        """Return where progress goes: standard error."""
        return self._console(sys.stderr)

    @staticmethod
    def _console(file: Any) -> Console:
        from rich.console import Console

        return Console(file=file, width=None if file.isatty() else _WIDE, highlight=False)

    def answer(self, value: Any, show: Callable[[], Any]) -> None:
        """Write the result: `value` as JSON if asked for, else what `show` returns, for people."""
        if self.as_json:
            write_json(value)
        elif (shown := show()) is not None:
            self.console.print(shown)


def _note_unpublished(error: Exception) -> None:
    """Say that a change was recorded although its message was not published."""
    complain(f"recorded, but not published yet: {error}; a running worker publishes it within a minute")


def write_json(value: Any) -> None:
    """Write one JSON value on a line of its own, for people with indentation."""
    click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None))


pass_session = click.make_pass_decorator(Session, ensure=True)


def json_option(command: F) -> F:
    """Give a command `--json`."""

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
