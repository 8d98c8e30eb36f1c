"""What `renderline top` shows, read from the ledger: totals, rates, queues, accounts, failures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from renderline.renders import State
from workers.cli import views
from workers.cli.errors import plain

if TYPE_CHECKING:
    from renderline.ledger.statistics import Minute, Total
    from workers.cli.session import Session

_FAILED = (State.FAILED, State.EXPIRED, State.UNDELIVERED)
_MINUTES = 10


def overview(session: Session, *, failures: int = 10, tenant: str | None = None) -> dict[str, Any]:
    """Return the present state of all renders, or of those of a tenant, as JSON.

    `renders` by state, with the seconds for which the oldest has been in it; `rates` of the last ten minutes; `queues`
    with their waiting messages; `accounts` with their renders and what holds them back; the newest `failures`.
    """
    from renderline.ledger import AccountReports
    from renderline.ledger.statistics import Statistics
    from workers.cli.checks.processes import lengths

    statistics = Statistics(session.ledger)
    totals = statistics.totals(tenant)
    reports = AccountReports(session.ledger)
    names = sorted({one.account for one in totals} | {one.name for one in session.settings.accounts})
    oldest = statistics.oldest() if tenant is None else {}
    return {
        "redis": session.redis_name,
        "renders": {
            state.value: {"count": count, "oldest": round(oldest[state], 1) if state in oldest else None}
            for state in State
            if (count := sum(one.count for one in totals if one.state == state))
        },
        "rates": rates(statistics.minutes(tenant, _MINUTES)),
        "queues": lengths(session.app),
        "accounts": [account(reports.of(name), totals) for name in names],
        "tenants": by(totals, "tenant"),
        "failures": _failures(session, failures, tenant),
    }


def rates(minutes: Sequence[Minute]) -> dict[str, Any]:
    """Return what happened per minute, on average of the minutes that are over, and the mean lag in seconds."""
    over = minutes[:-1]
    count = max(1, len(over))
    lags = [one.lag for one in over if one.lag is not None]
    names = ("accepted", "completed", "delivered", "failed", "credits")
    return {
        "minutes": len(over),
        **{name: round(sum(getattr(one, name) for one in over) / count, 2) for name in names},
        "lag": round(sum(lags) / len(lags), 2) if lags else None,
    }


def account(report: Mapping[str, Any], totals: Sequence[Total]) -> dict[str, Any]:
    """Return one account: its renders by state, its slots, and what holds it back (null: nothing)."""
    return {
        "name": report["name"],
        "states": by([one for one in totals if one.account == report["name"]], "state"),
        "parked": report["parked"],
        "slots": {name: report["slots"][name] for name in ("taken", "limit")},
        "held": held(report),
    }


def held(report: Mapping[str, Any]) -> str | None:
    """Return what holds an account back, in a few words."""
    if report["paused"]:
        return "paused by an operator"
    if report["hold"]:
        return plain(f"the vendor refuses it: {report['hold']['reason']}")
    if report["circuit"]["state"] != "closed":
        return f"the vendor does not answer, since {report['circuit']['since'] or 'lately'}"
    if report["backoff_until"]:
        return f"429 of the vendor, until {report['backoff_until']}"
    return None


def by(totals: Sequence[Total], name: str) -> dict[str, int]:
    """Return the number of renders by one of their properties."""
    found: dict[str, int] = defaultdict(int)
    for one in totals:
        found[getattr(one, name)] += one.count
    if name == "state":
        return {state.value: found[state] for state in State if state in found}
    return dict(sorted(found.items()))


def _failures(session: Session, limit: int, tenant: str | None) -> list[dict[str, Any]]:
    from renderline.ledger import Filter

    found: list[dict[str, Any]] = []
    for state in _FAILED:
        found += session.queries.page(Filter(state=state, tenant=tenant), limit=limit)[0]
    found.sort(key=lambda record: record["times"].get(record["state"]) or "", reverse=True)
    return [
        {
            **{name: record[name] for name in ("id", "name", "account", "tenant", "state")},
            "at": record["times"].get(record["state"]),
            "why": views.problem(record),
        }
        for record in found[:limit]
    ]
