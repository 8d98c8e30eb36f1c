"""The figures above the list: totals, the last hour as charts, and what needs a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from renderline.gateway.board.charts import Chart, chart
from renderline.ledger import Commands, Ledger, Minute, Queries, Statistics, Total
from renderline.ledger.quarantine import Quarantine
from renderline.renders import State

MINUTES: Final = 60
_RECENT: Final = 5
"""Minutes that the present figure of the throughput counts."""
_DEAD: Final = 100


@dataclass(frozen=True)
class Notice:
    """Something that needs a person. `account` is the account that it is about, `search` finds its renders."""

    text: str
    kind: str
    account: str | None = None
    search: str | None = None


@dataclass(frozen=True)
class Overview:
    """The figures of the renders that one viewer sees."""

    total: int
    states: Sequence[tuple[str, int]]
    accounts: Sequence[tuple[str, int]]
    tenants: Sequence[tuple[str, int]]
    kinds: Sequence[tuple[str, int]]
    charts: Sequence[Chart]
    notices: Sequence[Notice]


@dataclass(frozen=True)
class Overviews:
    """Reads the figures from the ledger. Raises `redis.RedisError`."""

    ledger: Ledger
    queries: Queries

    def of(self, tenant: str | None, accounts: Collection[str]) -> Overview:
        """Return the figures of a tenant (None: of all), and what holds up these accounts."""
        statistics = Statistics(self.ledger)
        totals = statistics.totals(tenant)
        return Overview(
            total=sum(one.count for one in totals),
            states=_in_order(totals),
            accounts=_by("account", totals),
            tenants=_by("tenant", totals),
            kinds=_by("kind", totals),
            charts=charts_of(statistics.minutes(tenant, MINUTES)),
            notices=[*self._of_workers(tenant), *self._of_accounts(accounts), *self._of_hooks(tenant)],
        )

    def _of_workers(self, tenant: str | None) -> list[Notice]:
        found: list[Notice] = []
        if not self.ledger.capabilities():
            found.append(Notice("No worker is running: renders wait.", "bad"))
        elif tenant is None and (strangers := sorted(Commands(self.ledger).accounts_without_worker())):
            found.append(Notice(f"No live worker knows {', '.join(strangers)}: its renders wait.", "bad"))
        if tenant is None and (kept := Quarantine(self.ledger.redis, prefix=self.ledger.prefix).totals().kept):
            text = f"Quarantine: {kept:,} messages or records could not be read; see renderline quarantine list."
            found.append(Notice(text, "warning"))
        return found

    def _of_accounts(self, accounts: Collection[str]) -> list[Notice]:
        commands = Commands(self.ledger)
        holds, paused, away = commands.holds(), commands.paused(), commands.open_circuits()
        found: list[Notice] = []
        for name in sorted(accounts):
            if name in paused:
                found.append(Notice("is paused: nothing is submitted until somebody resumes it.", "warning", name))
            if name in holds:
                found.append(Notice(f"is refused by the vendor: {holds[name]}", "bad", name))
            if name in away:
                found.append(Notice("gets no answer from the vendor: its circuit is open.", "bad", name))
        return found

    def _of_hooks(self, tenant: str | None) -> list[Notice]:
        dead = len(self.queries.dead_letters(limit=_DEAD, tenant=tenant))
        if not dead:
            return []
        count = (
            f"{dead}{'+' if dead >= _DEAD else ''} {'hook is a dead letter' if dead == 1 else 'hooks are dead letters'}"
        )
        return [Notice(f"{count}.", "warning", search=f"state:{State.UNDELIVERED}")]


def charts_of(minutes: Sequence[Minute]) -> list[Chart]:
    """Return the charts of the last hour: throughput, lag and spend."""
    recent = sum(one.completed for one in minutes[-_RECENT:])
    accepted, completed, failed = (
        sum(getattr(one, name) for one in minutes) for name in ("accepted", "completed", "failed")
    )
    lags = [one.lag for one in minutes if one.lag is not None]
    lag = _seconds(lags[-1]) if lags else "none yet"
    credits = sum(one.credits for one in minutes)
    throughput = chart(
        "Throughput",
        f"{recent:,} {'video' if recent == 1 else 'videos'} in {_RECENT} min",
        f"In the last hour {accepted:,} renders were accepted, {completed:,} completed, {failed:,} failed.",
        [("bad", [one.failed for one in minutes]), ("good", [one.completed for one in minutes])],
        [one.accepted for one in minutes],
    )
    noticed = chart(
        "Lag",
        lag,
        f"From the vendor's end of a render to our notice: latest {lag}"
        + (f", at most {_seconds(max(lags))} in the last hour." if lags else "."),
        [("plain", [one.lag or 0.0 for one in minutes])],
    )
    spend = chart(
        "Spend",
        f"{credits:,.6g} credits in 1 h",
        f"The renders of the last hour cost {credits:,.6g} credits.",
        [("plain", [one.credits for one in minutes])],
    )
    return [throughput, noticed, spend]


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"


def _in_order(totals: Sequence[Total]) -> list[tuple[str, int]]:
    counts = Counter[str]()
    for one in totals:
        counts[one.state] += one.count
    return [(state.value, counts[state.value]) for state in State if counts[state.value]]


def _by(name: str, totals: Sequence[Total]) -> list[tuple[str, int]]:
    counts = Counter[str]()
    for one in totals:
        counts[getattr(one, name)] += one.count
    return sorted(counts.items())
