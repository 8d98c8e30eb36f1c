"""What a gateway counts of itself: requests, open event streams, logins that failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry

from renderline.metrics.instruments import Instruments
from renderline.metrics.labels import OTHER, LabelValues
from renderline.metrics.metric import CALLS, Metric

REQUESTS = Metric(
    "renderline_http_requests_total",
    "counter",
    "Requests that this gateway answered; route is `none` for a path that it does not have.",
    ("method", "route", "status"),
)
REQUEST_DURATION = Metric(
    "renderline_http_request_duration_seconds",
    "histogram",
    "Seconds until an answer began.",
    ("route",),
    CALLS,
)
STREAMS = Metric("renderline_event_streams", "gauge", "Event streams that are open at this gateway.")
LOGINS_FAILED = Metric("renderline_logins_failed_total", "counter", "Logins on the board that were refused.")

METRICS = tuple(one for one in list(globals().values()) if isinstance(one, Metric))

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_MOST_ROUTES: Final = 200
_MOST_STATUSES: Final = 60


class GatewayMetrics:
    """The metrics of one gateway process."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self._of = Instruments(METRICS, self.registry)
        self._routes, self._statuses = LabelValues(_MOST_ROUTES), LabelValues(_MOST_STATUSES)

    def answered(self, *, method: str, route: str | None, status: int, seconds: float | None) -> None:
        """Count an answer. `route` is the rule of the path, never the path itself."""
        known = self._routes.of(route) if route else "none"
        self._of.counter(REQUESTS, method if method in _METHODS else OTHER, known, self._statuses.of(status)).inc()
        if seconds is not None:
            self._of.histogram(REQUEST_DURATION, known).observe(seconds)

    def login_failed(self) -> None:
        """Count a refused login."""
        self._of.counter(LOGINS_FAILED).inc()

    def watch_streams(self, count: Callable[[], int]) -> None:
        """Have the number of open event streams read from `count`."""
        self._of.gauge(STREAMS).set_function(count)
