"""A stage that makes a slow call says so, or its claim would end while the vendor still works."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from functools import cache

import pytest

import renderline.kinds
from renderline.kinds import KINDS
from renderline.studio import StudioV3
from renderline.studio.endpoint import Endpoint


@cache
def slow_calls() -> set[str]:
    """The names of the client's calls whose answer comes only when the work is done."""
    found = set()
    for name, call in inspect.getmembers(StudioV3, inspect.isfunction):
        used = [call.__globals__.get(one) for one in call.__code__.co_names]
        endpoints = [one for value in used for one in (value.values() if isinstance(value, dict) else [value])]
        if any(isinstance(one, Endpoint) and one.slow for one in endpoints):
            found.add(name)
    return found


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the kinds."""
    for found in pkgutil.walk_packages(renderline.kinds.__path__, "renderline.kinds."):
        yield found.name, ast.parse(inspect.getsource(importlib.import_module(found.name)))


def slow_in(tree: ast.Module) -> set[str]:
    """The slow calls that a module makes."""
    called = {node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and hasattr(node.func, "attr")}
    return called & slow_calls()


SLOW = [pytest.param(tree, id=name) for name, tree in modules() if slow_in(tree)]


def test_the_slow_calls_are_found():
    assert {"create_audio", "create_from_slides", "upload_documents", "generate", "dub"} <= slow_calls()
    assert not slow_calls() & {"create_project", "export_project", "progress", "list_projects"}
    assert SLOW


@pytest.mark.parametrize("tree", SLOW)
def test_a_module_that_makes_a_slow_call_marks_as_many_stages(tree):
    marks = [
        keyword
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "slow" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    ]
    assert marks, f"{sorted(slow_in(tree))} without slow=True"


def test_the_marks_reach_the_plans():
    slow = {(kind.name, stage.name) for kind in KINDS.values() for stage in kind.stages if stage.slow}
    assert {("audio", "create"), ("dubbing", "dub"), ("topic_video", "generate")} <= slow
    assert not {stage for _, stage in slow} & {"export", "baseline"}
