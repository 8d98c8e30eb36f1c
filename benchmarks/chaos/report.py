"""Renews the documentation's tables from the files of runs: `python -m benchmarks.chaos.report`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures of make chaos -->", "<!-- end of the figures -->"

Document = Mapping[str, Any]
"""The result files of `benchmarks.chaos.table.write`."""

_Row = tuple[str, Callable[[Mapping[str, Any]], Any]]


def _field(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda result: result.get(name)


def _fault(name: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda result: result.get("faults", {}).get(name)


def _of(done: str, due: str) -> Callable[[Mapping[str, Any]], Any]:
    return lambda result: f"{_shown(result.get(done))} / {_shown(result.get(due))}"


def _durations_of(group: str) -> Callable[[Mapping[str, Any]], Any]:
    def read(result: Mapping[str, Any]) -> str | None:
        pace = result.get("durations", {}).get(group)
        return pace and f"{_seconds(pace['hook_p95'])} / {_seconds(pace['delivered_p50'])}"

    return read


_BROKEN: tuple[_Row, ...] = (
    ("lost", _field("lost")),
    ("stuck", _field("stuck")),
    ("exported twice", _field("exported_twice")),
    ("credits charged / due", _of("credits_charged", "credits_due")),
    ("drafts left over", _field("orphans_left")),
)
_BESIDE_PEER: tuple[_Row, ...] = (
    ("accepted", _field("accepted")),
    ("delivered", _field("delivered")),
    *_BROKEN,
    ("hooks missing", _field("hooks_missing")),
    ("workers killed / frozen", lambda result: f"{result['worker_kills']} / {_shown(_fault('freezes')(result))}"),
)
_RUNS: tuple[_Row, ...] = (
    ("accepted", _field("accepted")),
    ("delivered", _field("delivered")),
    ("failed", _field("failed")),
    *_BROKEN,
    ("recorded with a project not theirs", _field("wrong_projects")),
    ("hooks missing", _field("hooks_missing")),
    ("hooks under two ids", _field("hooks_under_two_ids")),
    ("hooks delivered twice, same id", _field("hooks_repeated")),
    ("workers killed", _field("worker_kills")),
    ("workers frozen", _fault("freezes")),
    ("workers that ended by themselves", _field("worker_deaths")),
    ("restarts of Valkey", _fault("restart")),
    ("failovers", _fault("failover")),
    ("exports carried out late", _fault("late")),
    ("reads that lagged", _fault("stale-reads")),
    ("poison messages", _fault("poison messages")),
    ("hook calls left hanging", _field("receiver_hung")),
    ("end to hook p95 / request to last hook p50, s: quiet", _durations_of("quiet")),
    ("the same, others while an endpoint hung", _durations_of("endpoint hung, others")),
    ("the same, others while an account was out", _durations_of("account out, others")),
    ("minutes", lambda result: round(result["wall_seconds"] / 60, 1)),
)


def beside_peer(document: Document) -> str:
    """Return the table of a Renderline run and a plain chain's, as Markdown."""
    ours, theirs = (document["results"][name] for name in ("renderline", "chain"))
    head = f"`make chaos` ({ours['asked']} renders)"
    return _table((head, "Renderline", "plain Celery chain"), _BESIDE_PEER, [ours, theirs])


def runs(documents: Sequence[Document]) -> str:
    """Return the table of Renderline's runs, with the command that repeats each, as Markdown."""
    results = [document["results"]["renderline"] for document in documents]
    return _table(("", *(f"`{_command(one)}`" for one in results)), _RUNS, results)


def recorded() -> list[Document]:
    """Return the kept runs, by the number of kills and the seed."""
    documents = [json.loads(path.read_text()) for path in RESULTS.glob("chaos*.json")]
    found = [document for document in documents if "renderline" in document["results"]]
    return sorted(found, key=lambda document: (_plan(document)["kills"], _plan(document)["seed"]))


def tables() -> dict[str, str]:
    """Return the table of each page."""
    return {
        "README.md": beside_peer(json.loads((RESULTS / "chaos.json").read_text())),
        "docs/fault-runs.md": runs(recorded()),
    }


def put(page: str, table: str) -> str:
    """Return the page with this table between the markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{BEGIN} and {END} must be in the page")
    return f"{before}{begin}\n{table}{end}{after}"


def _plan(document: Document) -> Mapping[str, Any]:
    plan: Mapping[str, Any] = document["results"]["renderline"]["plan"]
    return plan


def _command(result: Mapping[str, Any]) -> str:
    plan = result["plan"]
    wanted = {"KILLS": plan["kills"], "SEED": plan["seed"], "SPLIT": int(plan["split"])}
    return " ".join(["make chaos", *(f"{name}={value}" for name, value in wanted.items() if value)])


def _table(head: Sequence[str], rows: Sequence[_Row], results: Sequence[Mapping[str, Any]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|:--|{'--:|' * len(results)}"]
    lines += [f"| {' | '.join([name, *(_shown(read(one)) for one in results)])} |" for name, read in rows]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


if __name__ == "__main__":
    for name, table in tables().items():
        page = ROOT / name
        page.write_text(put(page.read_text(), table))
        print(table)
