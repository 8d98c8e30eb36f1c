"""How a command ends: the exit codes, and what each kind of failure says in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import IntEnum

import click


class Code(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    """It ran, and the outcome is not what was asked for: a render failed, a check failed, a render had ended."""
    REFUSED = 2
    """The call itself is wrong: arguments, a request, a setting."""
    UNREACHABLE = 3
    """Redis could not be reached."""
    TIMED_OUT = 4
    """What was waited for had not ended in time."""
    NOT_FOUND = 5
    """There is no such render, hook, account or key."""
    INTERRUPTED = 130
    """Ctrl-C."""


class Trouble(click.ClickException):
    """Ends the command with `exit_code`; each of `lines` becomes one line on standard error."""

    def __init__(self, lines: str | Iterable[str], code: Code = Code.FAILED) -> None:
        self.lines = [lines] if isinstance(lines, str) else list(lines)
        super().__init__("\n".join(self.lines))
        self.code = code
        # click's own name for it, which it declares a constant of the class.
        vars(self)["exit_code"] = int(code)

    def show(self, file: object = None) -> None:
        """Write the lines to standard error."""
        for line in self.lines:
            complain(line)


def complain(line: str) -> None:
    """Write one line to standard error, its line breaks and control characters made harmless."""
    click.echo(f"renderline: {plain(line)}", err=True)


def plain(text: object) -> str:
    """Return the text on one line and without control characters, which a terminal would obey."""
    spaced = " ".join(str(text).split())
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in spaced)


def explained(error: Exception) -> Trouble | None:
    """Return what an exception from below means for the person at the terminal, None if it is a bug.

    What is slow to import is looked up, not imported: an exception of it cannot come from where it was not loaded.
    """
    for module, name, code in _MEANINGS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return Trouble(_words(name, error), code)
    return None


_MEANINGS = (
    ("config.variable", "SettingsError", Code.REFUSED),
    ("renderline.validation.errors", "RequestRefused", Code.REFUSED),
    ("renderline.ledger", "KeyConflict", Code.REFUSED),
    ("redis", "RedisError", Code.UNREACHABLE),
    ("kombu.exceptions", "OperationalError", Code.UNREACHABLE),
    ("renderline.studio", "StudioFault", Code.FAILED),
)


def _words(name: str, error: Exception) -> list[str]:
    if name in ("RedisError", "OperationalError"):
        return [f"Redis (REDIS_URL) does not answer: {error}"]
    if name == "StudioFault":
        return [f"the vendor: {error}"]
    return str(error).splitlines() or [type(error).__name__]
