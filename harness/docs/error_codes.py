"""What an error can be, read from the code: docs/errors.md has a row for each.

`python -m harness.docs.error_codes` lists them.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final, get_args

from renderline.ledger import quarantine
from workers.cli.errors import ExitCode

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "errors.md"
_ENDS: Final = {"PollResult", "refuse", "_fail", "fail"}
_PROBLEMS: Final = {"AccessDenied", "Problem", "abort", "problem_response", "problems"}
_SET_IN_LUA: Final = re.compile(r"set_error\(\w+, '(\w+)'")
_FLASK: Final = (405,)
"""What Flask answers by itself."""


@cache
def of_renders() -> frozenset[str]:
    """Return the codes that Renderline gives a render's error; the vendor's own codes are any text."""
    found = {code for path in _modules("renderline", "tasks", "workers") for code in _codes(path)}
    for script in (ROOT / "renderline/ledger/scripts").glob("*.lua"):
        found |= set(_SET_IN_LUA.findall(script.read_text(encoding="utf-8")))
    return frozenset(found)


@cache
def of_hooks() -> frozenset[str]:
    """Return the errors of failed deliveries, with … for what differs."""
    return frozenset(
        text
        for path in _modules("renderline/hooks", "workers/composition")
        for call in _calls(path, {"HookFailed", "_Expired"})
        if call.args
        for text in _templates(call.args[0], path)
        if re.search(r"\w", text)
    )


@cache
def of_the_gateway() -> frozenset[str]:
    """Return the statuses of the gateway's problem documents."""
    found = {
        status
        for path in _modules("renderline/gateway")
        for call in _calls(path, _PROBLEMS)
        for argument in (call.args if ast.unparse(call.func).endswith("problems") else call.args[:1])
        for status in _statuses(argument)
    }
    return frozenset(map(str, {*found, *_FLASK}))


def of_the_quarantine() -> frozenset[str]:
    """Return why a message is quarantined."""
    return frozenset(get_args(quarantine.Kind))


def of_commands() -> frozenset[str]:
    """Return the exit codes of the command line, and that of a process that refuses its settings."""
    return frozenset(str(int(code)) for code in (*ExitCode, os.EX_CONFIG))


SECTIONS: Final[dict[str, Callable[[], frozenset[str]]]] = {
    "A render's error": of_renders,
    "A hook's error": of_hooks,
    "The gateway's answers": of_the_gateway,
    "The quarantine": of_the_quarantine,
    "Exit codes of the command line": of_commands,
}
"""What reads the codes, by the heading of their table."""


def rows(page: str, heading: str) -> list[str]:
    """Return the first cells of the table below a heading, without the marks of code."""
    part = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0].removeprefix("| ") for line in part.splitlines() if line.startswith("| `")]
    return [re.sub(r"^`+ ?| ?`+$", "", cell) for cell in cells]


def _modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"sandbox", "testing", "demo"} & set(path.parts):
                yield path


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _calls(path: Path, names: set[str]) -> Iterator[ast.Call]:
    if any(name in path.read_text(encoding="utf-8") for name in names):
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                yield node


def _codes(path: Path) -> Iterator[str]:
    constants = {
        target.id: one.value.value
        for one in _tree(path).body
        if isinstance(one, ast.Assign | ast.AnnAssign) and isinstance(one.value, ast.Constant)
        for target in (one.targets if isinstance(one, ast.Assign) else [one.target])
        if isinstance(target, ast.Name)
    }
    for call in _calls(path, _ENDS):
        for word in call.keywords:
            if word.arg == "code":
                yield from _texts(word.value, constants)
    for node in ast.walk(_tree(path)):
        # A record that is made by hand: {"code": ..., "message": ..., "origin": ...}
        if isinstance(node, ast.Dict):
            keys = [getattr(key, "value", None) for key in node.keys]
            if {"code", "origin"} <= set(keys):
                yield from _texts(node.values[keys.index("code")], constants)


def _texts(node: ast.expr, constants: dict[str, object]) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.Name) and isinstance(constants.get(node.id), str):
        yield str(constants[node.id])
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body, constants)
        yield from _texts(node.orelse, constants)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value, constants)


def _statuses(node: ast.expr) -> Iterator[int]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, int):
            yield one.value
        elif isinstance(one, ast.Attribute) and ast.unparse(one.value) == "HTTPStatus":
            yield HTTPStatus[one.attr]


def _templates(node: ast.expr, path: Path) -> Iterator[str]:
    """Yield the texts that an argument may be, those of a variable too, with … for what differs."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Name):
        for one in ast.walk(_tree(path)):
            if isinstance(one, ast.Assign) and any(getattr(target, "id", "") == node.id for target in one.targets):
                yield from _templates(one.value, path)


if __name__ == "__main__":
    for title, read in SECTIONS.items():
        print(f"{title}:", *sorted(read()), sep="\n  ")
