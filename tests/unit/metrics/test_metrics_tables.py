"""docs/metrics.md lists every metric, as it is declared; names follow Prometheus' conventions."""

import re

import pytest

from harness import ROOT
from renderline.metrics.tables import BY_SOURCE, with_tables

METRICS = [one for metrics in BY_SOURCE.values() for one in metrics]


def test_the_page_has_the_tables_of_the_declarations():
    page = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    assert with_tables(page) == page, "write it anew: python -m renderline.metrics"
    assert all(f"| `{one.name}` | {one.type} |" in page for one in METRICS)


def test_each_name_is_one_metric():
    names = [series for one in METRICS for series in one.series]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.name)
def test_names_follow_the_conventions(metric):
    assert re.fullmatch(r"renderline_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") is (metric.type == "counter")
    if metric.type == "histogram":
        assert metric.name.endswith("_seconds")
        assert list(metric.buckets) == sorted(metric.buckets)
    assert metric.help.endswith(".")
    assert not {"render_id", "name", "tenant", "path", "url"} & set(metric.labels)
