"""The charts: calls and lag of poll schedules, and every measured figure as a multiple of its target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.result import Row
from benchmarks.schedule_simulation import LEARNT

_OURS, _OTHERS, _MISSED, _INK = "#2f6fed", "#8a94a6", "#d64545", "#1f2733"
_NAMES = {"renderline": "Renderline, first renders", LEARNT: "Renderline"}
# The same figures must give identical files.
_STYLE = {"svg.hashsalt": "renderline", "font.size": 10, "text.color": _INK, "axes.edgecolor": _OTHERS}


def draw(results: dict[str, Any], folder: Path) -> Iterator[Path]:
    """Draw the charts for which the results have figures, as PNG and SVG; yields the files."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = results["benchmarks"]
    with mpl.rc_context(_STYLE):  # type: ignore[arg-type]
        mix = measured.get("calls", {}).get("figures", {}).get("simulated_mix")
        if mix:
            yield from _save(_schedules(mix), folder / "poll-schedule")
        rows = [Row.from_json(kept) for benchmark in measured.values() for kept in benchmark["rows"]]
        if rows:
            yield from _save(_multiples(rows, results["machine"]), folder / "benchmarks")


def _save(figure: Figure, path: Path) -> Iterator[Path]:
    for ending, options in (("png", {"dpi": 160}), ("svg", {"metadata": {"Date": None}})):
        file = path.with_suffix(f".{ending}")
        figure.savefig(file, facecolor="white", bbox_inches="tight", **options)
        yield file


def _schedules(mix: dict[str, dict[str, dict[str, float]]]) -> Figure:
    figure = Figure(figsize=(7.2, 4.4))
    axes: Axes = figure.subplots()
    families: dict[str, list[tuple[float, float]]] = {"fixed": [], "exponential": []}
    for name, judgements in mix.items():
        calls, lag = judgements["all"]["calls"], judgements["all"]["lag_mean_s"]
        ours = name in _NAMES
        axes.plot(calls, lag, "o", color=_OURS if ours else _OTHERS, markersize=9 if ours else 6, zorder=3)
        shown = _NAMES.get(name, name)
        side, below = (
            ("right", -14) if name.startswith("fixed") else ("left", {LEARNT: 8, "renderline": -5}.get(name, 4))
        )
        axes.annotate(
            shown,
            (calls, lag),
            xytext=(-4 if side == "right" else 8, below),
            textcoords="offset points",
            ha=side,
            color=_INK,
            weight="bold" if ours else None,
        )
        for family, points in families.items():
            if name.startswith(family):
                points.append((calls, lag))
    for points in families.values():
        axes.plot(*zip(*sorted(points), strict=True), color=_OTHERS, linewidth=1, linestyle=":")
    axes.fill_between([1, 20], 0.5, 2, color=_OURS, alpha=0.08, zorder=0)
    axes.annotate("target: 20 calls, 2 s", (4.2, 0.58), color=_OURS)
    axes.set(xscale="log", yscale="log", xlim=(4, 200), ylim=(0.5, 60))
    axes.set_xticks([5, 10, 20, 50, 100, 200], labels=["5", "10", "20", "50", "100", "200"])
    axes.set_yticks([0.5, 1, 2, 5, 10, 30, 60], labels=["0.5 s", "1 s", "2 s", "5 s", "10 s", "30 s", "60 s"])
    axes.minorticks_off()
    axes.set_xlabel("vendor calls per render, draft and export included")
    axes.set_ylabel("mean lag until the video is noticed")
    axes.set_title("Poll schedules, renders of 1-10 minutes, five progress curves (simulated)", loc="left", fontsize=11)
    _plain(axes)
    return figure


def _multiples(rows: list[Row], machine: dict[str, Any]) -> Figure:
    """Draw how many times better than its target each figure is; left of 1 it misses the target."""
    figure = Figure(figsize=(8.6, 0.36 * len(rows) + 1.4))
    axes: Axes = figure.subplots()
    places = range(len(rows), 0, -1)
    for place, row in zip(places, rows, strict=True):
        factor = row.value / row.target if row.least else row.target / max(row.value, 1e-9)
        axes.barh(place, factor - 1, left=1, height=0.6, color=_OURS if row.met else _MISSED)
        text = f"{row.shown} (target {row.bound})"
        end = (max(factor, 1), place)
        axes.annotate(text, end, xytext=(6, 0), textcoords="offset points", va="center", fontsize=8, color=_INK)
    axes.set_yticks(list(places), labels=[row.what for row in rows], fontsize=8)
    axes.axvline(1, color=_INK, linewidth=1)
    axes.set_xscale("log")
    axes.set_xlim(0.2, 60)
    axes.set_xticks([0.5, 1, 2, 5, 10, 20], labels=["half", "target", "2x", "5x", "10x", "20x better"])
    axes.minorticks_off()
    about = f"{machine['cores']} cores {machine['processor']}, Python {machine['python']}"
    axes.set_title(f"Measured against the targets ({about})", loc="left", fontsize=11)
    _plain(axes)
    return figure


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(True, which="major", color="#e6e9ef", linewidth=0.7)
    axes.set_axisbelow(True)
