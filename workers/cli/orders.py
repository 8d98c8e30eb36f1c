"""What `renderline submit` is to send: requests from files, or from a template and the rows that fill it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from workers.cli import request_files, rows
from workers.cli.errors import CommandError, ExitCode, print_error

if TYPE_CHECKING:
    from renderline.requests import RequestRefused, RequestTemplate

_DOWNLOAD = {"type": "download"}
_SHOWN_ERRORS = 100


@dataclass(frozen=True)
class Order:
    """One request to send, its idempotency key, and its place for error messages."""

    place: str
    request: dict[str, Any]
    key: str | None
    columns_at: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The columns of the row that fill each text, by its path."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """The row that filled it."""
    folder: str = "."
    """Where the local files are that it names by relative paths."""
    number: int = 0
    """The number of the row that filled it, as a spreadsheet counts; 0: none did."""

    def wrong(self, refused: RequestRefused) -> list[str]:
        """Return a line for each wrong field, which names the column that it came from."""
        return [
            f"{self._place_of(path)}: {path}: {message}"
            for path, messages in refused.errors.items()
            for message in messages
        ]

    def _place_of(self, path: str) -> str:
        columns = [
            column
            for at, names in self.columns_at.items()
            if at == path or at.startswith(f"{path}.")
            for column in names
        ]
        named = list(dict.fromkeys(columns))
        return f"{self.place} column {', '.join(named)}" if named else self.place


def from_files(
    contents: Iterable[tuple[str, bytes]], *, key: str | None, key_from: str | None, download: bool
) -> list[Order]:
    """Return the requests of files; raises CommandError with everything that is wrong with them."""
    try:
        items = request_files.all_items(iter(contents))
    except request_files.Unreadable as fault:
        raise CommandError(fault.lines, ExitCode.REFUSED) from None
    if key is not None and len(items) != 1:
        raise CommandError(
            f"--key names one render, but there are {len(items)} requests: use --key-from", ExitCode.REFUSED
        )
    if unfilled := [line for item in items for line in _unfilled(item)]:
        raise CommandError(shortened(unfilled), ExitCode.REFUSED)
    found = (Order(item.place, item.data, key, folder=item.folder) for item in items)
    return _all(found, key_from=key_from, download=download)


def _unfilled(item: request_files.Item) -> Iterator[str]:
    """A line for each text with a placeholder: sent as it is, it would be paid for and spoken."""
    from renderline.requests import RequestTemplate

    for path, columns in RequestTemplate(item.data).columns_at.items():
        yield f"{item.place}: {path}: has the placeholder {{{{{columns[0]}}}}}; fill it with --template and --rows"


def from_rows(
    template: tuple[str, bytes], table: tuple[str, bytes], *, key_from: str | None, download: bool
) -> list[Order]:
    """Return the request of each row; raises CommandError with everything that is wrong with template and table."""
    from renderline.requests import RequestTemplate

    try:
        items = request_files.items(*template)
        filling = rows.rows(*table)
    except request_files.Unreadable as fault:
        raise CommandError(fault.lines, ExitCode.REFUSED) from None
    if len(items) != 1:
        raise CommandError(f"{template[0]}: holds {len(items)} requests; a template is one", ExitCode.REFUSED)
    made = RequestTemplate(items[0].data)
    _check_columns(template[0], made, filling, key_from=key_from)
    if key_from is not None:
        _check_key_from(key_from, made, filling)
    folder = os.path.dirname(table[0])
    found = (
        Order(row.place, made.fill(row.values), None, made.columns_at, row.values, folder, row.number)
        for row in filling
    )
    return _all(found, key_from=key_from, download=download)


def _check_columns(name: str, template: RequestTemplate, filling: Sequence[rows.Row], *, key_from: str | None) -> None:
    if not template.columns:
        raise CommandError(
            f"{name}: has no placeholder such as {{{{name}}}}: every row would render the same", ExitCode.REFUSED
        )
    wrong = []
    for row in filling:
        for column, path in template.columns.items():
            if column not in row.values:
                known = ", ".join(row.values)
                wrong.append(f"{row.place} column {column}: is missing; {name} needs it at {path}; there are: {known}")
        if wrong and filling[0].values.keys() == row.values.keys():
            break  # the header says it for all rows
    if wrong:
        raise CommandError(shortened(wrong), ExitCode.REFUSED)
    for column in [column for column in filling[0].values if column not in (*template.columns, key_from)]:
        print_error(f"column {column} is not used by {name}")


def _check_key_from(path: str, template: RequestTemplate, filling: Sequence[rows.Row]) -> None:
    from renderline.requests import RequestRefused, as_request

    if any(path in row.values for row in filling):
        return
    first = filling[0]
    try:
        found = request_files.value_at(as_request(template.fill(first.values)), path)
    except RequestRefused:
        return  # which every row says
    if found is None:
        columns = ", ".join(first.values)
        raise CommandError(
            f"{first.place}: --key-from {path}: no such field of the request, nor a column; columns: {columns}",
            ExitCode.REFUSED,
        )


def _all(orders: Iterator[Order], *, key_from: str | None, download: bool) -> list[Order]:
    from renderline.requests import RequestRefused, as_request

    found, wrong = [], []
    for order in orders:
        try:
            request = as_request(order.request)
            if download:
                request = _with_download(request)
            key = _key(order, request, key_from) if key_from else order.key
            found.append(replace(order, request=request, key=key))
        except RequestRefused as refused:
            wrong += order.wrong(refused)
        except ValueError as fault:
            wrong.append(f"{order.place}: {fault}")
    if wrong:
        raise CommandError(shortened(wrong), ExitCode.REFUSED)
    return found


def shortened(lines: list[str]) -> list[str]:
    """Return the lines for the terminal: the first hundred, and how many more there are."""
    more = len(lines) - _SHOWN_ERRORS
    return [*lines[:_SHOWN_ERRORS], f"{more} more errors"] if more > 0 else lines


def _with_download(request: dict[str, Any]) -> dict[str, Any]:
    hooks = request.get("hooks") or []
    if not isinstance(hooks, list) or any(isinstance(hook, dict) and hook.get("type") == "download" for hook in hooks):
        return request
    # In front, because hooks after a download can say where the file is stored.
    return {**request, "hooks": [_DOWNLOAD, *hooks]}


def _key(order: Order, request: dict[str, Any], path: str) -> str:
    value = order.row[path] if path in order.row else request_files.value_at(request, path)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{path}: must be text or a whole number, because --key-from takes the key from it")
    return str(value)
