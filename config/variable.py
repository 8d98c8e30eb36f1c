"""One environment variable of the application: its name, how its text is read, what it may hold."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import environs


class SettingsError(ValueError):
    """The environment is not fit to start with; the text has one line for every bad or missing variable."""


@dataclass(frozen=True, kw_only=True)
class Variable:
    """How one environment variable is read.

    `read` turns its text into a value and raises ValueError (ValidationError is one) when it cannot.
    `allowed` completes the sentence "NAME must be ...".
    """

    name: str
    read: Callable[[str], Any]
    allowed: str
    default: Any = None
    secret: bool = False

    def complaint(self, text: str | None, reasons: Iterable[str] = ()) -> str:
        """Say in one line what is wrong with `text`, without showing a secret, and what to do."""
        shown = " (value not shown)" if self.secret or text is None else f"={text!r}"
        why = "".join(f" ({reason})" for reason in reasons if reason)
        return f"{self.name}{shown}: must be {self.allowed}{why}; {self.remedy()}"

    def remedy(self) -> str:
        """Say what to do about a bad value."""
        if self.default is None:
            return "correct it or leave it unset"
        return f"correct it, or leave it unset for {self.default!r}"


def variable(name: str, read: Callable[[str], Any], allowed: str, *, default: Any = None, secret: bool = False) -> Any:
    """Declare a dataclass field that is filled from the environment variable `name`."""
    found = Variable(name=name, read=read, allowed=allowed, default=default, secret=secret)
    return field(default=default, repr=not secret, metadata={"variable": found})


class Environment(environs.Env):
    """An `environs` reader over a mapping: blank variables count as unset, problems are collected, not raised."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self.given = {name: text.strip() for name, text in environ.items() if text.strip()}
        self.complaints: list[str] = []
        self.add_parser("variable", lambda text, *, read: read(text))

    def _get_value(self, env_key: str, default: Any) -> Any:
        # environs looks into os.environ here; settings are read from what the entry point passed.
        return self.given.get(env_key, default)

    def value(self, wanted: Variable) -> Any:
        """Return the variable's value, or its default when it is unset; a bad value is remembered for `finish`."""
        if wanted.name not in self.given:
            return wanted.default
        try:
            return self.variable(wanted.name, read=wanted.read)
        except ValueError as problem:
            self._errors[wanted.name].append(str(problem))
            return wanted.default

    def refuse_unknown(self, prefixes: tuple[str, ...], known: Iterable[str]) -> None:
        """Remember every variable with one of our prefixes that nothing reads: a typing error here can cost money."""
        names = sorted(known)
        for name in sorted(self.given):
            if not name.startswith(prefixes) or name in names:
                continue
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"did you mean {close[0]}?" if close else "remove it, or see .env.example for the names that exist"
            self.complaints.append(f"{name}: no such variable; {hint}")

    def finish(self, variables: Mapping[str, Variable]) -> None:
        """Raise SettingsError with a line for everything that was wrong."""
        lines = list(self.complaints)
        try:
            self.seal()
        except environs.EnvValidationError as found:
            problems: Mapping[str, list[str]] = found.error_messages  # type: ignore[assignment]
            lines += [variables[name].complaint(self.given[name], why) for name, why in problems.items()]
        if lines:
            raise SettingsError("\n".join(lines))
