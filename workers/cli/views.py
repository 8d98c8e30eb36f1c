"""Renders as text for people: tables, the details of one render, the live view of `watch`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from renderline.renders import FINAL, State
from renderline.tenants import DEFAULT
from workers.cli.errors import plain

Record = Mapping[str, Any]

_STYLES = {
    State.ACCEPTED: "dim",
    State.SUBMITTING: "cyan",
    State.UNCONFIRMED: "bold yellow",
    State.RENDERING: "blue",
    State.COMPLETED: "green",
    State.DELIVERED: "bold green",
    State.UNDELIVERED: "bold yellow",
    State.FAILED: "bold red",
    State.EXPIRED: "red",
    State.CANCELED: "magenta",
}


def state_text(state: str) -> Text:
    """Return a state in its colour."""
    return Text(plain(state), style=_STYLES.get(state, ""))  # type: ignore[call-overload]


def age(moment: str | None, *, now: datetime | None = None) -> str:
    """Return how long ago an ISO 8601 time was, such as `3m`; empty without one."""
    if not moment:
        return ""
    return duration(((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds())


def duration(seconds: float) -> str:
    """Return seconds as text, such as `3m`."""
    seconds = max(0.0, seconds)
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def span(seconds: float) -> str:
    """Return a length of time as text, such as `45 s`, `2:05 min` or `1:30 h`."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def _since(record: Record) -> str:
    return age(record["times"].get(record["state"]) or record["times"].get("accepted"))


def name(record: Record) -> str:
    """Return the name of a render on one line, its id if it has none."""
    return plain(record["name"] or "")[:40] or str(record["id"])


def problem(record: Record) -> str:
    """Return on one line what went wrong with a render, or else its note or first warning; empty if there is none."""
    if record["error"]:
        return plain(record["error"]["message"])
    for hook in record["hooks"]:
        if hook["error"]:
            return plain(f"{hook['type']}: {hook['error']}")
    if record["note"] or not record["warnings"]:
        return plain(record["note"] or "")
    more = f" (and {len(record['warnings']) - 1} more)" if len(record["warnings"]) > 1 else ""
    return plain(f"warning: {record['warnings'][0]}{more}")


def table(rows: Sequence[Record]) -> Table:
    """Return renders as a table, one per line."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    # A truncated id cannot be copied.
    shown.add_column("ID", no_wrap=True, min_width=32)
    shown.add_column("STATE", no_wrap=True, min_width=10)
    shown.add_column("%", justify="right", no_wrap=True)
    shown.add_column("FOR", justify="right", no_wrap=True)
    shown.add_column("KIND", no_wrap=True)
    shown.add_column("NAME", no_wrap=True, overflow="ellipsis", max_width=40)
    if several := any(one["tenant"] != DEFAULT for one in rows):
        shown.add_column("TENANT", no_wrap=True)
    shown.add_column("NOTE", no_wrap=True, overflow="ellipsis")
    for one in rows:
        shown.add_row(
            one["id"],
            state_text(one["state"]),
            f"{one['progress']:.0f}",
            _since(one),
            Text(plain(one["kind"])),
            Text(plain(one["name"] or "")),
            *([Text(plain(one["tenant"]))] if several else []),
            Text(problem(one)),
        )
    return shown


def pairs(items: Iterable[tuple[str, Any]]) -> Table:
    """Return names and values as a list; a value of None or "" is left out."""
    shown = Table.grid(padding=(0, 2))
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for name, value in items:
        if value is not None and value != "":
            shown.add_row(name, value if isinstance(value, Text) else Text(plain(value)))
    return shown


def _output(output: Record) -> str:
    """Return one of several files of a render in short."""
    name = output["language"] or output["project_id"] or "unknown"
    where = output["stored_url"] or output["download_url"] or output["error"] or ""
    progress = f" {output['progress']:.0f} %" if output["state"] == "rendering" else ""
    return f"{name}: {output['state']}{progress} {where}".rstrip()


def _attempts(record: Record) -> str:
    from renderline.explanation.wording import counted

    return f"{record['attempt']} ({counted(record['attempts'], 'submission')}, {counted(record['polls'], 'poll')})"


def details(record: Record) -> RenderableType:
    """Return everything about one render."""
    state = state_text(record["state"])
    if record["state"] not in FINAL:
        state.append(f"  {record['progress']:.0f} %", style="")
    parts: list[RenderableType] = [
        pairs(
            (
                ("id", record["id"]),
                ("name", record["name"]),
                ("state", state),
                ("forgotten", record["forgotten"]),
                ("kind", f"{record['kind']}, account {record['account']}, priority {record['priority']}"),
                ("tenant", record["tenant"] if record["tenant"] != DEFAULT else None),
                ("accepted by", record["accepted_by"]),
                ("attempt", _attempts(record)),
                ("stage", record["stage"]),
                ("project", record["project_id"]),
                ("stored", record["stored_url"]),
                ("video", record["download_url"]),
                *(("output", _output(output)) for output in record["outputs"]),
                ("credit", record["credit"]),
                ("error", _error(record)),
                ("note", record["note"]),
                *(("warning", warning) for warning in record["warnings"]),
                ("metadata", ", ".join(f"{name}={value}" for name, value in record["metadata"].items())),
                ("deadline", record["deadline"]),
            )
        )
    ]
    if record["hooks"]:
        parts.append(hooks(record["hooks"]))
    parts += [Text(f"attempt {past['attempt']}: {past['state']}  {_error(past) or ''}") for past in record["history"]]
    return Group(*parts)


def _error(record: Record) -> str | None:
    error = record["error"]
    if not error:
        return None
    code = f" [{error['code']}]" if error["code"] else ""
    return plain(f"{error['origin']}{code}: {error['message']}")


def hooks(rows: Sequence[Record]) -> Table:
    """Return a render's hooks as a table."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("HOOK", "TYPE", "STATE", "ATTEMPTS", "AGO", "ERROR"):
        shown.add_column(name, no_wrap=name != "ERROR", overflow="fold")
    for index, hook in enumerate(rows):
        error = Text(plain(hook["error"] or ""))
        shown.add_row(str(index), plain(hook["type"]), hook["state"], str(hook["attempts"]), age(hook["at"]), error)
    return shown


def plain_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Return a table of plain values; the first column is never truncated."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        shown.add_column(name, no_wrap=place == 0, overflow="fold")
    for row in rows:
        shown.add_row(*(value if isinstance(value, Text) else Text(plain(value)) for value in row))
    return shown


def board(counts: Mapping[str, int], rows: Sequence[Record], *, title: str) -> RenderableType:
    """Return the live view: the number of renders by state, and the newest of them."""
    line = Text(f"{title}   ", style="bold")
    for state, count in counts.items():
        if count:
            line.append(f"{state} ", style=_STYLES.get(state, ""))  # type: ignore[call-overload]
            line.append(f"{count}   ")
    return Group(line, Text(""), table(rows) if rows else Text("no renders", style="dim"))
