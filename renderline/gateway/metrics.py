"""`/metrics` for Prometheus: the ledger's metrics and this gateway's own.

A caller on this machine needs no key, unless a proxy passed its call on: then it is somebody else's. All others need a
key with the scope `metrics` or `operator`, because the figures are of all tenants.
"""

from __future__ import annotations

import time
from typing import Final

from flask import Blueprint, Flask, Response, current_app, g, request
from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder

from renderline.gateway.access import METRICS, requires
from renderline.gateway.event_stream import EventStreams
from renderline.gateway.local_callers import called_directly
from renderline.ledger import Ledger
from renderline.metrics.gateway_metrics import GatewayMetrics
from renderline.metrics.ledger_collector import LedgerCollector
from renderline.metrics.ledger_reader import LedgerReader

blp = Blueprint("metrics", __name__)

_EXTENSION: Final = "renderline-metrics"


def install(app: Flask, *, ledger: Ledger, streams: EventStreams) -> None:
    """Add /metrics, and count every answer of `app`."""
    metrics = GatewayMetrics()
    metrics.registry.register(LedgerCollector(LedgerReader(ledger).read))
    ProcessCollector(registry=metrics.registry)
    metrics.watch_streams(lambda: streams.count)
    app.extensions[_EXTENSION] = metrics
    app.register_blueprint(blp)

    @app.after_request
    def count(response: Response) -> Response:
        metrics.answered(
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            seconds=time.perf_counter() - g.started if "started" in g else None,
        )
        if request.endpoint == "board.log_in" and response.status_code >= 400:
            metrics.login_failed()
        return response


def gateway_metrics() -> GatewayMetrics:
    """Return the metrics of the application that serves the present request."""
    found: GatewayMetrics = current_app.extensions[_EXTENSION]
    return found


@blp.get("/metrics")
def metrics() -> Response:
    """Answer with all metrics, in the format that the caller prefers."""
    if "Authorization" not in request.headers and called_directly():
        return _answer()
    answer: Response = requires(METRICS)(_answer)()
    return answer


def _answer() -> Response:
    encode, media_type = choose_encoder(request.headers.get("Accept", ""))
    response = Response(encode(gateway_metrics().registry), content_type=media_type)
    response.headers["Cache-Control"] = "no-store"
    return response
