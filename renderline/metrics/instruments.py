"""The instruments of `prometheus_client` for declared metrics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from renderline.metrics.metric import Metric

_KINDS: dict[str, Any] = {"counter": Counter, "gauge": Gauge, "histogram": Histogram}


class Instruments:
    """One instrument for each metric, in one registry."""

    def __init__(self, metrics: Sequence[Metric], registry: CollectorRegistry) -> None:
        self._made = {one.name: _made(one, registry) for one in metrics}

    def counter(self, metric: Metric, *labels: str) -> Counter:
        """Return the counter of a metric with these values of its labels."""
        found: Counter = self._of(metric, labels)
        return found

    def gauge(self, metric: Metric, *labels: str) -> Gauge:
        """Return the gauge of a metric with these values of its labels."""
        found: Gauge = self._of(metric, labels)
        return found

    def histogram(self, metric: Metric, *labels: str) -> Histogram:
        """Return the histogram of a metric with these values of its labels."""
        found: Histogram = self._of(metric, labels)
        return found

    def _of(self, metric: Metric, labels: tuple[str, ...]) -> Any:
        made = self._made[metric.name]
        return made.labels(*labels) if labels else made


def _made(metric: Metric, registry: CollectorRegistry) -> Any:
    options = {"buckets": metric.buckets} if metric.buckets else {}
    return _KINDS[metric.type](metric.name, metric.help, metric.labels, registry=registry, **options)
