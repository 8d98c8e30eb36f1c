"""The tables of the vendor's routes say what the code does: client, kinds, commands, sandbox and tests."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import click
import pytest

import renderline.studio
from harness import ROOT
from renderline.kinds import KINDS
from renderline.sandbox.backend import Backend
from renderline.sandbox.dispatch import Dispatch
from renderline.sandbox.options import Options
from renderline.studio import StudioV2, StudioV3, TokenEndpoint
from renderline.studio.endpoint import Endpoint
from workers.cli.program import cli

CLIENTS = {"StudioV3": StudioV3, "StudioV2": StudioV2, "TokenEndpoint": TokenEndpoint}
NO_CALLS = {"close", "total_timeout"}
BASES = {"v3": "/api/odin/v3", "v2": "/api/odin"}
DOCUMENTED = {"v3": 34, "v2": 12}
COLUMNS = ("route", "client", "kind", "command", "sandbox", "test")
_SECTION = (ROOT / "docs/vendor.md").read_text().split("\n## Routes\n")[1].split("\n## ")[0]


class Row(NamedTuple):
    """One route of a table; `api` is v3, v2 or, for those that only the sandbox has, empty."""

    api: str
    cells: tuple[str, ...]

    @property
    def route(self) -> str:
        method, _, path = self.cells[0].strip("`").partition(" ")
        return f"{method} {_anonymous(BASES.get(self.api, '') + path)}"

    def named(self, column: str) -> list[str]:
        """The names in a cell, none in one that says why there are none."""
        cell = self.cells[COLUMNS.index(column)]
        return [] if cell.startswith("no:") else re.findall(r"`([^`]+)`", cell)


def _anonymous(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _rows() -> Iterator[Row]:
    api = ""
    for line in _SECTION.splitlines():
        if line.startswith("### "):
            api = next((name for name in BASES if line.startswith(f"### {name},")), "")
        elif line.startswith("| `"):
            yield Row(api, tuple(cell.strip() for cell in line.strip("|").split(" | ")))


ROWS = list(_rows())
TABLE = [row for row in ROWS if row.api]


def endpoints() -> dict[str, Endpoint]:
    """Every endpoint of the client, by method and path."""
    found = {}
    for module in pkgutil.walk_packages(renderline.studio.__path__, "renderline.studio."):
        for one in vars(importlib.import_module(module.name)).values():
            if isinstance(one, Endpoint):
                found[f"{one.method} {_anonymous(one.path)}"] = one
    return found


def sandbox() -> dict[str, str]:
    """The module of each call that the sandbox answers, by method and path, without its own pages and files."""
    routes = Dispatch(Backend(Options(), set_alarm=lambda _: None))._router.routes
    return {
        f"{route.method} {_anonymous(route.template)}": route.handler.__module__.rpartition(".")[2]
        for route in routes
        if route.api not in ("control", "files")
    }


def commands(group: click.Command = cli, path: str = "") -> Iterator[str]:
    """The full name of every command."""
    if isinstance(group, click.Group):
        for name, one in group.commands.items():
            yield from commands(one, f"{path} {name}".strip())
    if not isinstance(group, click.Group) or group.invoke_without_command:
        yield path


@cache
def defined_in(path: str) -> frozenset[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / "tests" / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_documented_route_has_one_row():
    for api, count in DOCUMENTED.items():
        routes = [row.route for row in TABLE if row.api == api]
        assert len(routes) == len(set(routes)) == count


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route)
def test_no_cell_is_empty_and_no_reason_is_missing(row):
    assert len(row.cells) == (len(COLUMNS) if row.api else 2)
    for cell in row.cells:
        assert len(cell) > len("no: it") if cell.startswith("no:") else cell.strip("`- ")


def test_the_client_has_an_endpoint_for_each_route_and_no_other():
    assert {row.route for row in TABLE} == set(endpoints())


def test_the_sandbox_serves_each_route_where_the_table_says_and_names_what_else_it_serves():
    served = sandbox()
    assert {row.route for row in ROWS} == set(served)
    assert {row.route: row.named("sandbox") for row in TABLE} == {
        row.route: [f"sandbox/{served[row.route]}.py"] for row in TABLE
    }


def test_every_call_of_the_clients_is_named_and_exists():
    named = {name for row in TABLE for name in row.named("client")}
    there = {
        f"{client}.{name}"
        for client, one in CLIENTS.items()
        for name in dir(one)
        if not name.startswith("_") and name not in NO_CALLS
    }
    assert named == there


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.route)
def test_the_calls_that_a_row_names_go_to_its_route(row):
    for name in row.named("client"):
        client, _, method = name.partition(".")
        call = inspect.unwrap(getattr(CLIENTS[client], method))
        used = [call.__globals__.get(one) for one in call.__code__.co_names]
        reached = [one for value in used for one in (value.values() if isinstance(value, dict) else [value])]
        routes = [f"{one.method} {_anonymous(one.path)}" for one in reached if isinstance(one, Endpoint)]
        # The check of the token is made where refusals of it are treated.
        assert row.route in routes or name == "StudioV3.confirm_token"


def test_every_kind_is_named_and_exists():
    named = {name for row in TABLE for name in row.named("kind")}
    assert named == set(KINDS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.route)
def test_the_commands_and_tests_that_a_row_names_exist(row):
    assert set(row.named("command")) <= set(commands())
    assert row.named("test")
    for name in row.named("test"):
        path, _, test = name.partition("::")
        assert test in defined_in(path), name


def test_a_route_that_submit_reaches_names_the_kind():
    assert [row.route for row in TABLE if "submit" in row.named("command") and not row.named("kind")] == []
