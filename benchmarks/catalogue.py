"""The benchmarks by name, in the order in which they run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import (
    board,
    calls,
    enqueue,
    flower_memory,
    in_flight,
    latency,
    poll_cost,
    render_cost,
    same_lag,
    search,
    two_workers,
)
from benchmarks.result import BenchmarkResult, Say


@dataclass(frozen=True)
class Case:
    """A benchmark: takes a function that reports progress, returns its result."""

    title: str
    run: Callable[[Say], BenchmarkResult]


_MODULES = (
    render_cost,
    poll_cost,
    same_lag,
    calls,
    in_flight,
    two_workers,
    latency,
    enqueue,
    board,
    flower_memory,
    search,
)

CASES = {module.__name__.rpartition(".")[2]: Case(module.TITLE, module.run) for module in _MODULES}
