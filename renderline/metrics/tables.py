"""The tables of docs/metrics.md, from the declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from renderline.metrics import gateway_metrics, ledger_metrics, worker_metrics
from renderline.metrics.metric import Metric, Source

BY_SOURCE: Final[Mapping[Source, tuple[Metric, ...]]] = {
    "ledger": ledger_metrics.METRICS,
    "gateway": gateway_metrics.METRICS,
    "worker": worker_metrics.METRICS,
}
"""All metrics."""

_PLACE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def with_tables(page: str) -> str:
    """Return a Markdown page with a table between each `<!-- table: SOURCE -->` and `<!-- end -->`."""
    return _PLACE.sub(lambda found: f"{found[1]}{_table(BY_SOURCE[_source(found[2])])}{found[3]}", page)


def _source(text: str) -> Source:
    return next(source for source in BY_SOURCE if source == text)


def _table(metrics: Iterable[Metric]) -> str:
    rows = [
        f"| `{one.name}` | {one.type} | {', '.join(f'`{label}`' for label in one.labels)} | {one.help} |\n"
        for one in metrics
    ]
    return "| metric | type | labels | meaning |\n|:--|:--|:--|:--|\n" + "".join(rows)
