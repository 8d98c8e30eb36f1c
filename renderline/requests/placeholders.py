"""Request templates: a render request whose texts have placeholders, filled once for each row of a table.

A placeholder is `{{column}}`, anywhere in any text of the request. It stands for the row's value in that column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from renderline.validation.errors import join_path

_PLACEHOLDER: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


@dataclass(frozen=True)
class RequestTemplate:
    """A render request with placeholders; any decoded JSON value."""

    data: Any

    @cached_property
    def columns(self) -> dict[str, str]:
        """The columns that it needs, in the order in which they appear, each with the path of its first placeholder."""
        found: dict[str, str] = {}
        for path, columns in self.columns_at.items():
            for column in columns:
                found.setdefault(column, path)
        return found

    @cached_property
    def columns_at(self) -> dict[str, tuple[str, ...]]:
        """The columns in each text with placeholders, by its path."""
        found = {path: tuple(dict.fromkeys(_PLACEHOLDER.findall(text))) for path, text in _texts(self.data, "")}
        return {path: columns for path, columns in found.items() if columns}

    def fill(self, row: Mapping[str, Any]) -> Any:
        """Return the request of a row. Raises KeyError if the row lacks a column.

        A text that is one placeholder and nothing else becomes the row's value, whatever its type. Within a text, a
        value that is not text is written as JSON. Filled texts are not searched for placeholders again.
        """
        return _filled(self.data, row)


def _filled(value: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        if whole := _PLACEHOLDER.fullmatch(value):
            return row[whole[1]]
        return _PLACEHOLDER.sub(lambda found: _text(row[found[1]]), value)
    if isinstance(value, list):
        return [_filled(one, row) for one in value]
    if isinstance(value, dict):
        return {name: _filled(one, row) for name, one in value.items()}
    return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _texts(one, join_path(path, at))
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, join_path(path, name))
