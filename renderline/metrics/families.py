"""Values that are read when somebody asks, as the families of a registry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from renderline.metrics.metric import Metric

Sample = tuple[Metric, tuple[str, ...], float]
"""A metric, the values of its labels, and its value."""


def families(metrics: Iterable[Metric], samples: Iterable[Sample]) -> Iterator[Family]:
    """Yield a family for each metric. Of two samples with the same labels the later one counts."""
    values: dict[str, dict[tuple[str, ...], float]] = {}
    for metric, labels, value in samples:
        values.setdefault(metric.name, {})[labels] = value
    for metric in metrics:
        family: CounterMetricFamily | GaugeMetricFamily
        if metric.type == "counter":
            family = CounterMetricFamily(metric.name.removesuffix("_total"), metric.help, labels=metric.labels)
        else:
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
        for labels, value in values.get(metric.name, {}).items():
            family.add_metric(labels, value)
        yield family
