"""The log events of the code, as docs/logs.md lists them. `python -m harness.log_events` writes its table anew."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness import ROOT

PAGE = ROOT / "docs/logs.md"
FOLDERS = ("config", "renderline", "tasks", "workers")
# The sandbox is no part of an installation.
_LEFT_OUT = ("renderline/sandbox/", "workers/demo/")
_LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
_TABLE = re.compile(r"(?s)(<!-- events -->\n).*?(<!-- end of events -->)")


class Event(NamedTuple):
    """One call of a logger."""

    name: str
    level: str
    fields: tuple[str, ...]
    module: str


@cache
def events() -> list[Event]:
    """Return the calls of loggers in the code, those with the same event, level and module as one."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            if not module.startswith(_LEFT_OUT):
                for name, level, fields in _calls(path):
                    found.setdefault((name, level, module), set()).update(fields)
    return sorted(Event(name, level, tuple(sorted(fields)), module) for (name, level, module), fields in found.items())


def table() -> str:
    """Return the table of the events in Markdown."""
    rows = [
        f"| `{one.name}` | {one.level} | {', '.join(f'`{name}`' for name in one.fields)} | `{one.module}` |"
        for one in events()
    ]
    return "\n".join(["| event | level | fields | logged by |", "|:--|:--|:--|:--|", *rows, ""])


def with_table(page: str) -> str:
    """Return the page with the present table."""
    return _TABLE.sub(lambda marks: marks[1] + table() + marks[2], page)


def _calls(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    text = path.read_text(encoding="utf-8")
    if "log." not in text:
        return
    nodes = list(ast.walk(ast.parse(text)))
    for call in nodes:
        if isinstance(call, ast.Call):
            yield from _logged(call, _levels(call.func))
    # `level = log.warning if ... else log.debug`, and then `level("event")`
    if any(isinstance(one, ast.Assign) and _levels(one.value) for one in nodes):
        for function in nodes:
            if isinstance(function, ast.FunctionDef):
                yield from _chosen(function)


def _chosen(function: ast.FunctionDef) -> Iterator[tuple[str, str, list[str]]]:
    """Yield the calls of levels that the function itself has chosen."""
    nodes = list(ast.walk(function))
    chosen = {
        target.id: _levels(one.value)
        for one in nodes
        if isinstance(one, ast.Assign)
        for target in one.targets
        if isinstance(target, ast.Name) and _levels(one.value)
    }
    for call in nodes:
        if chosen and isinstance(call, ast.Call):
            yield from _logged(call, chosen.get(getattr(call.func, "id", ""), ()))


def _logged(call: ast.Call, levels: tuple[str, ...]) -> Iterator[tuple[str, str, list[str]]]:
    if call.args and levels:
        fields = [str(word.arg) for word in call.keywords if word.arg not in (None, "exc_info")]
        for level in levels:
            for name in _texts(call.args[0]):
                yield name, level, fields


def _levels(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.IfExp):
        return (*_levels(node.body), *_levels(node.orelse))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "log":
        return (_LEVELS[node.attr],) if node.attr in _LEVELS else ()
    return ()


def _texts(node: ast.expr) -> tuple[str, ...]:
    """Return the events that an argument may be; raises TypeError if operators could not search for it."""
    if isinstance(node, ast.IfExp):
        return (*_texts(node.body), *_texts(node.orelse))
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    raise TypeError(f"the event is no plain text: {ast.unparse(node)}")


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
