"""For each alert: series that make it fire, and others that do not. A series has a value for each minute.

`0x40` is 0 for 41 minutes, `0+1x40` grows by 1 in each, `_x40` is missing.
"""

from __future__ import annotations

from typing import NamedTuple

Series = dict[str, str]

ALIVE: Series = {
    "renderline_worker_seen_seconds": "5x90",
    "renderline_ledger_up": "1x90",
    "renderline_sweep_age_seconds": "3x90",
}
"""What a healthy system shows, unless a case says otherwise."""

_OLDEST = 'renderline_oldest_render_seconds{state="%s"}'
_CALLS = 'renderline_vendor_calls_total{account="main"}'
_ERRORS = 'renderline_vendor_errors_total{account="main",code="500"}'
_WAITS = 'renderline_renders{account="main",kind="project",state="accepted"}'
_HELPERS = 'renderline_account_worker_seen_seconds{account="main"}'
_FAILED = 'renderline_transitions_total{account="main",state="failed"}'
_COMPLETED = 'renderline_transitions_total{account="main",state="completed"}'
_DEAD = 'renderline_hook_attempts_total{type="http",host="h",outcome="dead"}'
_DELIVERED = 'renderline_hook_attempts_total{type="http",host="h",outcome="delivered"}'
_OK = 'renderline_http_requests_total{method="GET",route="/",status="200"}'
_BAD = 'renderline_http_requests_total{method="GET",route="/",status="503"}'


class Case(NamedTuple):
    """`fires` and `silent` replace series of `ALIVE`; an empty value takes one out."""

    fires: tuple[Series, ...]
    silent: tuple[Series, ...]
    minutes: int = 30


def _account(name: str) -> str:
    return 'renderline_account_%s{account="main"}' % name  # noqa: UP031


CASES: dict[str, Case] = {
    "RenderlineGatewayDown": Case(
        ({'up{job="renderline-gateway"}': "0x90"},), ({'up{job="renderline-gateway"}': "1x28 0 1x60"},)
    ),
    "RenderlineWorkerDown": Case(
        ({'up{job="renderline-worker"}': "0x90"},), ({'up{job="renderline-worker"}': "1x27 0x2 1x60"},)
    ),
    "RenderlineNoWorker": Case(
        ({"renderline_worker_seen_seconds": "65+60x90"}, {"renderline_worker_seen_seconds": ""}),
        (
            {},
            {"renderline_worker_seen_seconds": "15x90"},
            # Redis is down: that has an alert of its own.
            {"renderline_worker_seen_seconds": "", "renderline_ledger_up": "0x90"},
        ),
    ),
    "RenderlineAccountUnserved": Case(
        ({_WAITS: "3x90"}, {_WAITS: "3x90", _HELPERS: "65+60x90"}),
        ({_WAITS: "3x90", _HELPERS: "5x90"}, {_WAITS: "0x90"}, {_WAITS.replace("accepted", "failed"): "3x90"}),
    ),
    "RenderlineConsumerDeaf": Case(
        ({"renderline_consumer_deaf": "0x29 1x60"}, {"renderline_canary_age_seconds": "910x90"}),
        ({"renderline_canary_age_seconds": "20x90", "renderline_consumer_deaf": "0x90"},),
    ),
    "RenderlineConsumerReplaced": Case(
        ({"renderline_consumer_replaced_total": "0x25 1x60"},),
        ({"renderline_consumer_replaced_total": "0x5 1x90"},),
    ),
    "RenderlineSweepStopped": Case(
        ({"renderline_sweep_age_seconds": "310+60x90"}, {"renderline_sweep_age_seconds": ""}),
        ({}, {"renderline_sweep_age_seconds": "", "renderline_worker_seen_seconds": ""}),
    ),
    "RenderlineLedgerUnreachable": Case(
        ({"renderline_ledger_up": "0x90"},), ({"renderline_ledger_up": "1x28 0 1x60"},)
    ),
    "RenderlineQueueOld": Case(
        ({'renderline_queue_oldest_seconds{queue="submit"}': "310x90"},),
        ({'renderline_queue_oldest_seconds{queue="submit"}': "200x90"},),
    ),
    "RenderlineQueueStalled": Case(
        ({'renderline_queue_stalled_seconds{queue="billing"}': "310+60x90"},),
        ({'renderline_queue_stalled_seconds{queue="billing"}': "0x90"},),
    ),
    "RenderlineRendersStuck": Case(
        ({_OLDEST % "submitting": "950x90"}, {_OLDEST % "accepted": "3700x90"}, {_OLDEST % "rendering": "7300x90"}),
        ({_OLDEST % "accepted": "3000x90", _OLDEST % "rendering": "3700x90", _OLDEST % "delivered": "99999x90"},),
    ),
    "RenderlineUnconfirmedWaits": Case(({_OLDEST % "unconfirmed": "950x90"},), ({_OLDEST % "unconfirmed": "180x90"},)),
    "RenderlinePaidTwice": Case(
        ({"renderline_revoked_webhooks": "0x25 1x60"},), ({"renderline_revoked_webhooks": "1x90"},)
    ),
    "RenderlineQuarantineGrows": Case(
        ({"renderline_quarantine_entries": "0x25 1x60"},), ({"renderline_quarantine_entries": "7x90"},)
    ),
    "RenderlineRequestsNotKept": Case(
        ({"renderline_quarantine_not_kept_total": "0x25 1x60"},), ({"renderline_quarantine_not_kept_total": "7x90"},)
    ),
    "RenderlineCircuitOpen": Case(({_account("circuit_open"): "1x90"},), ({_account("circuit_open"): "0x28 1 0x60"},)),
    "RenderlineVendorErrors": Case(
        ({_CALLS: "0+60x90", _ERRORS: "0+30x90"},), ({_CALLS: "0+60x90", _ERRORS: "0+6x90"}, {_CALLS: "0+60x90"})
    ),
    "RenderlineVendorBackoff": Case(
        ({_account("backoff_seconds"): "30x90"},), ({_account("backoff_seconds"): "0x25 30x2 0x60"},)
    ),
    "RenderlineAccountHeld": Case(({_account("held"): "1x90"},), ({_account("held"): "0x90"},)),
    "RenderlineAccountPaused": Case(
        ({_account("paused"): "1x90"},), ({_account("paused"): "0x60 1x30"}, {_account("paused"): "0x90"}), minutes=80
    ),
    "RenderlineTokenOld": Case(
        ({_account("token_expires_seconds"): "-10-60x90", _WAITS: "1x90", _HELPERS: "5x90"},),
        (
            # Nobody needs one.
            {_account("token_expires_seconds"): "-10-60x90", _WAITS: "0x90"},
            {_account("token_expires_seconds"): "3600x90", _WAITS: "1x90", _HELPERS: "5x90"},
        ),
    ),
    "RenderlineRendersFail": Case(
        ({_FAILED: "0+1x90", _COMPLETED: "0+1x90"},),
        ({_FAILED: "0+1x90", _COMPLETED: "0+9x90"}, {_FAILED: "0x26 1x60", _COMPLETED: "0x90"}),
    ),
    "RenderlineDeadLettersGrow": Case(
        ({"renderline_dead_letters": "3x25 5x60"},), ({"renderline_dead_letters": "3x90"},)
    ),
    "RenderlineHooksFail": Case(
        ({_DEAD: "0+2x90", _DELIVERED: "0+1x90"},), ({_DEAD: "0+1x90", _DELIVERED: "0+9x90"}, {_DEAD: "0x26 2x60"})
    ),
    "RenderlineGatewayErrors": Case(({_OK: "0+60x90", _BAD: "0+30x90"},), ({_OK: "0+60x90", _BAD: "0+3x90"},)),
    "RenderlineLoginsFail": Case(
        ({"renderline_logins_failed_total": "0+5x90"},), ({"renderline_logins_failed_total": "0+1x90"},)
    ),
}
