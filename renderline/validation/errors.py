"""The error for a wrong render request: every wrong field by its path, in a form that fits a message queue."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from marshmallow.exceptions import SCHEMA

MAX_ERRORS: Final = 200
"""Fields named in one refusal. The others are counted, so that a broken 1 MB body gets a readable answer."""

_MAX_SUGGESTIONS: Final = 10  # in one object: a suggestion is slow, and a body can be large
_UNSAFE: Final = re.compile(r"[^ -9;-~]")  # printable ASCII without ":", which ends a path in the text form
_SHOWABLE: Final = re.compile(r"[\w.@/+-]{1,40}", re.ASCII)


class RequestRefused(ValueError):
    """The render request is wrong. `errors` maps the path of each wrong field to its messages.

    Built from that mapping or from its text form, because Celery rebuilds an exception from its arguments.
    """

    def __init__(self, errors: Mapping[str, Collection[str]] | str) -> None:
        """Take the errors as a mapping of paths to messages, or as the text that `str()` gave."""
        self.errors: dict[str, list[str]] = (
            _parsed(errors) if isinstance(errors, str) else {path: list(texts) for path, texts in errors.items()}
        )
        super().__init__("\n".join(f"{path}: {message}" for path, texts in self.errors.items() for message in texts))


def _parsed(text: str) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for line in text.splitlines():
        path, colon, message = line.partition(": ")
        errors.setdefault(path if colon else "request", []).append(message if colon else line)
    return errors


def refusal(errors: Mapping[str, Iterable[str]]) -> RequestRefused:
    """Return a RequestRefused with `errors` sorted by path and cut to `MAX_ERRORS`."""
    paths = sorted(errors, key=path_order)
    kept = {path: list(errors[path]) for path in paths[:MAX_ERRORS]}
    if len(paths) > MAX_ERRORS:
        kept.setdefault("request", []).append(f"has {len(paths) - MAX_ERRORS} more wrong fields, not listed")
    return RequestRefused(kept)


def path_order(path: str) -> list[tuple[int, int, str]]:
    """Return the key by which paths are sorted: list positions as numbers."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in path.split(".")]


def flattened(messages: Any, path: str = "") -> dict[str, list[str]]:
    """Turn marshmallow's nested error messages into a mapping of dotted paths to messages."""
    found: dict[str, list[str]] = {}
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            for wrong, texts in flattened(inner, path if key == SCHEMA else join_path(path, key)).items():
                found.setdefault(wrong, []).extend(texts)
    elif isinstance(messages, list | tuple):
        for inner in messages:
            for wrong, texts in flattened(inner, path).items():
                found.setdefault(wrong, []).extend(texts)
    else:
        weight = type(messages) if isinstance(messages, str) else str
        found[path or "request"] = [weight(" ".join(str(messages).split()))]
    return found


def join_path(path: str, key: object) -> str:
    """Return `path` with `key` added. The key is made safe to show, because a caller's key can be anything."""
    segment = _UNSAFE.sub("?", str(key)[:64]) or "''"
    return f"{path}.{segment}" if path else segment


def unknown_fields(given: Iterable[str], known: Collection[str]) -> dict[str, list[str]]:
    """Return an error for each of the `given` fields that is not `known`, with the most similar known field."""
    unknown = [name for name in given if name not in known]
    errors = {name: ["unknown field"] for name in unknown}
    for name in unknown[:_MAX_SUGGESTIONS]:
        near = difflib.get_close_matches(name[:64], known, n=1, cutoff=0.7)
        if near:
            errors[name] = [f"unknown field; did you mean '{near[0]}'?"]
    return errors


def quoted(value: object) -> str:
    """Return ` 'value'`, with the space, if it is a number or looks like an identifier.

    Anything else could be script text, so '' is returned.
    """
    if isinstance(value, str):
        return f" '{value}'" if _SHOWABLE.fullmatch(value) else ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f" {value}"
    return ""
