"""The end of a command: its exit code, and one line on standard error for each failure."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import IntEnum

import click


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    """It ran, but a render failed, a check failed, or an operation did not apply."""
    REFUSED = 2
    """Wrong arguments, request or setting."""
    UNREACHABLE = 3
    """Redis could not be reached."""
    TIMED_OUT = 4
    """The timeout passed before the renders ended."""
    NOT_FOUND = 5
    """Render, hook, account or key not found."""
    INTERRUPTED = 130
    """Ctrl-C."""


class CommandError(click.ClickException):
    """Ends the command with `exit_code`; each of `lines` becomes one line on standard error."""

    def __init__(self, lines: str | Iterable[str], code: ExitCode = ExitCode.FAILED) -> None:
        self.lines = [lines] if isinstance(lines, str) else list(lines)
        super().__init__("\n".join(self.lines))
        self.code = code
        # click reads this attribute, but declares it as a class constant.
        vars(self)["exit_code"] = int(code)

    def show(self, file: object = None) -> None:
        """Write the lines to standard error."""
        for line in self.lines:
            print_error(line)


def print_error(line: str) -> None:
    """Write one line to standard error, without line breaks and control characters."""
    click.echo(f"renderline: {plain(line)}", err=True)


def plain(text: object) -> str:
    """Return the text on one line, without the control characters that a terminal would act on."""
    spaced = " ".join(str(text).split())
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in spaced)


def plain_lines(text: str) -> str:
    """Return a longer text with its line breaks and tabs, without the characters that a terminal would act on."""
    kept = (one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)
    return "".join(kept)


def as_command_error(error: Exception) -> CommandError | None:
    """Return the error to show for an exception of the application; None for a bug.

    Modules are looked up in `sys.modules`, because importing them is slow. One that was not imported raised nothing.
    """
    for module, name, code in _KNOWN:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return CommandError(_lines(name, error), code)
    return None


_KNOWN = (
    ("config.variable", "SettingsError", ExitCode.REFUSED),
    ("renderline.validation.errors", "RequestRefused", ExitCode.REFUSED),
    ("renderline.ledger", "KeyConflict", ExitCode.REFUSED),
    ("renderline.ledger", "QuotaExceeded", ExitCode.REFUSED),
    ("renderline.ledger.schema", "SchemaMismatch", ExitCode.FAILED),
    ("redis.exceptions", "AuthenticationError", ExitCode.UNREACHABLE),
    ("redis.exceptions", "NoPermissionError", ExitCode.UNREACHABLE),
    ("redis", "RedisError", ExitCode.UNREACHABLE),
    ("kombu.exceptions", "OperationalError", ExitCode.UNREACHABLE),
    ("renderline.studio", "StudioFault", ExitCode.FAILED),
    ("renderline.uploads", "StorageFailed", ExitCode.FAILED),
)


def _lines(name: str, error: Exception) -> list[str]:
    if name == "AuthenticationError":
        return [f"Redis refused the login of REDIS_URL: {error}"]
    if name == "NoPermissionError":
        return [f"Redis refused the user of REDIS_URL: {error}; use an operator's (docs/broker.md)"]
    if name in ("RedisError", "OperationalError"):
        return [f"Redis (REDIS_URL) does not answer: {error}"]
    if name == "StorageFailed":
        return [f"the storage of uploads: {error}"]
    if name == "StudioFault":
        return [f"the vendor: {error}"]
    return str(error).splitlines() or [type(error).__name__]
