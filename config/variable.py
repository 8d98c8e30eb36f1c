"""Environment variables: how each is declared, and how all of them are read and validated together."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import marshmallow as ma

from config import secret_file


class SettingsError(ValueError):
    """The environment is not valid; the text has one line for every bad, missing or unknown variable."""


def refuse_to_start(who: str, problem: ValueError) -> NoReturn:
    """End the process because of its settings, with a line for each problem.

    The exit code is EX_CONFIG (78): to start it again would not help, so what supervises processes does not.
    """
    print(f"{who} cannot start:\n{problem}", file=sys.stderr)
    sys.exit(os.EX_CONFIG)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable."""

    name: str

    read: Callable[[str], Any]
    """Turns its text into a value, or raises ValidationError."""

    allowed: str
    """Completes the sentence "NAME must be ..."."""

    default: Any = None
    secret: bool = False

    def problem(self, text: str | None, reasons: Iterable[str] = ()) -> str:
        """Return in one line what is wrong with `text`, without showing a secret, and what to do."""
        shown = " (value not shown)" if self.secret or text is None else f"={text!r}"
        why = "".join(f" ({reason})" for reason in reasons if reason)
        return f"{self.name}{shown}: must be {self.allowed}{why}; {self.remedy()}"

    def remedy(self) -> str:
        """Return what to do about a bad value."""
        if self.default is None:
            return "correct it or leave it unset"
        return f"correct it, or leave it unset for {self.default!r}"


def file_variables(variables: Iterable[Variable]) -> list[Variable]:
    """Return for each secret the variable that names the file from which it is read instead."""
    return [
        Variable(name=one.name + secret_file.SUFFIX, read=str, allowed=f"the path of a file that holds {one.name}")
        for one in variables
        if one.secret
    ]


def variable(name: str, read: Callable[[str], Any], allowed: str, *, default: Any = None, secret: bool = False) -> Any:
    """Declare a dataclass field that is filled from the environment variable `name`."""
    declared = Variable(name=name, read=read, allowed=allowed, default=default, secret=secret)
    return field(default=default, repr=not secret, metadata={"variable": declared})


class Environment:
    """The values of `variables` in an environment. Blank variables count as unset; problems are collected."""

    def __init__(self, environ: Mapping[str, str], variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self.given = {name: text.strip() for name, text in environ.items() if text.strip()}
        self.problems: list[str] = []
        unusable = self._read_files()
        schema = ma.Schema.from_dict(
            {name: ma.fields.Function(deserialize=wanted.read) for name, wanted in variables.items()}
        )
        try:
            self._values: Any = schema(unknown=ma.EXCLUDE).load(self.given)
        except ma.ValidationError as error:
            self._values = error.valid_data
            reasons: Any = error.normalized_messages()
            self.problems += [variables[name].problem(self.given[name], why) for name, why in reasons.items()]
        # They are bad, not missing.
        self.given |= dict.fromkeys(unusable, "")

    def _read_files(self) -> list[str]:
        """Add the secrets that files hold to what is given; return those whose file is of no use."""
        unusable = []
        for name in [name for name, wanted in self._variables.items() if wanted.secret]:
            try:
                found = secret_file.lookup(self.given, name)
            except ValueError as problem:
                self.problems.append(str(problem))
                self.given.pop(name, None)
                unusable.append(name)
            else:
                self.given |= {name: found} if found else {}
        return unusable

    def value(self, wanted: Variable) -> Any:
        """Return the variable's value, its default if it is unset, None if it is bad."""
        return self._values.get(wanted.name) if wanted.name in self.given else wanted.default

    def unknown(self, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        """Return the variables with one of our prefixes that nothing reads."""
        return tuple(name for name in sorted(self.given) if name.startswith(prefixes) and name not in self._variables)

    def refuse_unknown(self, prefixes: tuple[str, ...]) -> None:
        """Add a problem for every variable with one of our prefixes that nothing reads: a typo can cost money."""
        names = sorted(self._variables)
        for name in self.unknown(prefixes):
            close = difflib.get_close_matches(name, names, n=1, cutoff=0.8)
            hint = f"did you mean {close[0]}?" if close else "remove it, or see .env.example for the names that exist"
            self.problems.append(f"{name}: no such variable; {hint}")

    def raise_problems(self) -> None:
        """Raise SettingsError with a line for every problem, if there is one."""
        if self.problems:
            raise SettingsError("\n".join(self.problems))
