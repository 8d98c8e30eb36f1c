"""The weight of a message about a wrong value: refused at once, refused unless the caller asks otherwise, or a warning.

A message that is a plain `str` is about something that the vendor's pages forbid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from marshmallow import ValidationError
from marshmallow.types import Validator

PASSED_ON: Final = "; passed on all the same"
"""The end of a warning about a value that goes to the vendor as it is."""


class Guess(str):
    """About something that no page of the vendor forbids: always a warning."""

    __slots__ = ()


class WrongType(str):
    """A value of another JSON type than the field has."""

    __slots__ = ()


class Missing(WrongType):
    """No value where one is needed."""

    __slots__ = ()


class Firm(str):
    """About something that Renderline relies on: never passed on."""

    __slots__ = ()


class Guessed:
    """A validator whose refusal is a guess: the range of values that the vendor's samples have, or common sense."""

    def __init__(self, rule: Validator) -> None:
        """Take the rule, a validator."""
        self.rule = rule

    def __call__(self, value: Any) -> Any:
        """Raise ValidationError, with guesses alone, if the rule does."""
        if _PASSING.get():
            return value
        try:
            return self.rule(value)
        except ValidationError as error:
            raise ValidationError(as_guesses(error.messages)) from None


_PASSING: Final[ContextVar[bool]] = ContextVar("_PASSING", default=False)


@contextmanager
def passing_guesses() -> Iterator[None]:
    """Let what is only guessed pass, so that the rest can be loaded with its defaults."""
    reset = _PASSING.set(True)
    try:
        yield
    finally:
        _PASSING.reset(reset)


def guesses_pass() -> bool:
    """Return whether what is only guessed passes now."""
    return _PASSING.get()


def as_guesses(messages: Any) -> Any:
    """Return marshmallow's nested messages as guesses."""
    if isinstance(messages, Mapping):
        return {key: as_guesses(inner) for key, inner in messages.items()}
    if isinstance(messages, list | tuple):
        return [as_guesses(inner) for inner in messages]
    return Guess(str(messages).replace("must be", "should be", 1))


def are_guesses(messages: Any) -> bool:
    """Return whether all of marshmallow's nested messages are guesses."""
    if isinstance(messages, Mapping):
        return all(map(are_guesses, messages.values()))
    if isinstance(messages, list | tuple):
        return all(map(are_guesses, messages))
    return isinstance(messages, Guess)
