"""What the ledger knows of a vendor account: what holds it back, its slots, its rate limit, its token's times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from renderline.ledger.clock import epoch_seconds
from renderline.ledger.record import iso
from renderline.ledger.store import Ledger

_HOLDERS: Final = 20
"""Renders with a slot that are named."""
_FASTEST: Final = 1000.0
"""Calls a second above which a rate limit no longer matters."""
TOKEN_TIMES: Final = ("issued_at", "refresh_at", "expires_at", "refused_at", "failed_at")


class AccountReports:
    """Reads the state of accounts, in three round trips for each."""

    def __init__(self, ledger: Ledger, *, kinds: Iterable[str] = ()) -> None:
        """`kinds` are those whose durations are read, with their stages as `kind.stage`."""
        self._ledger, self._redis, self._keys = ledger, ledger.redis, ledger.keys
        self._kinds = tuple(kinds)

    def of(self, account: str) -> dict[str, Any]:
        """Return the state of an account as JSON: times are ISO 8601, durations seconds. Secrets are no part of it."""
        keys = self._keys
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            pipe.sismember(keys.paused, account)
            pipe.hgetall(keys.hold(account))
            pipe.get(keys.backoff(account))
            pipe.hgetall(keys.circuit(account))
            pipe.hgetall(keys.rate_limit(account))
            pipe.hget(keys.slot_limits, account)
            pipe.scard(keys.slots(account))
            pipe.srandmember(keys.slots(account), _HOLDERS)
            pipe.zcard(keys.due(account))
            pipe.zrange(keys.owners(account), 0, -1)
            pipe.hgetall(keys.account_status(account))
            pipe.get(keys.webhooks_alive(account))
            pipe.zrange(keys.capabilities, 0, -1, withscores=True)
            answer, paused, hold, backoff, circuit, rate, limit, taken, holders, due, *rest = pipe.execute()
        owners, status, webhooks, capabilities = rest
        now = epoch_seconds(answer)
        return {
            "name": account,
            "paused": bool(paused),
            "hold": _hold(hold),
            "backoff_until": _later(backoff, now),
            "circuit": _circuit(circuit, now),
            "calls_per_second": _rate(rate, now),
            "slots": {
                "limit": int(limit) if limit else None,
                "taken": int(taken),
                "renders": sorted(str(one) for one in holders),
            },
            "parked": self._parked({account, *map(str, owners)}),
            "at_vendor": int(due),
            "token": {name: _time(status.get(name)) for name in TOKEN_TIMES},
            "webhooks_until": _later(webhooks, now),
            "workers": _workers(account, capabilities),
            "durations": self._durations(account),
        }

    def _parked(self, owners: Iterable[str]) -> int:
        """Return how many submissions of these owners wait."""
        with self._redis.pipeline(transaction=False) as pipe:
            for owner in owners:
                pipe.zcard(self._keys.parked(owner))
            return sum(map(int, pipe.execute()))

    def _durations(self, account: str) -> list[dict[str, Any]]:
        with self._redis.pipeline(transaction=False) as pipe:
            for kind in self._kinds:
                pipe.lrange(self._keys.durations(account, kind), 0, -1)
            rows = pipe.execute()
        return [_duration(kind, sorted(map(float, row))) for kind, row in zip(self._kinds, rows, strict=True) if row]


def _duration(kind: str, seconds: Sequence[float]) -> dict[str, Any]:
    """Return how long the newest renders of a kind took: a half took at most `median`, nine tenths at most `slow`."""
    name, _, stage = kind.partition(".")
    places = {"median": len(seconds) // 2, "slow": min(len(seconds) - 1, len(seconds) * 9 // 10)}
    figures = {name: round(seconds[place], 1) for name, place in places.items()}
    return {"kind": name, "stage": stage or None, "count": len(seconds), **figures}


def _time(stamp: Any) -> str | None:
    return iso(float(stamp)) if stamp else None


def _later(stamp: Any, now: float) -> str | None:
    return _time(stamp) if stamp and float(stamp) > now else None


def _hold(fields: Mapping[str, str]) -> dict[str, Any] | None:
    if "reason" not in fields:
        return None
    return {
        "reason": fields["reason"],
        "since": _time(fields.get("since")),
        "next_attempt": _time(fields.get("until")),
    }


def _circuit(fields: Mapping[str, str], now: float) -> dict[str, Any]:
    state = "closed" if "until" not in fields else "probing" if "probing" in fields else "open"
    return {
        "state": state,
        "failures": int(fields.get("failures", 0)),
        "since": _time(fields.get("opened_at")),
        "next_probe": _later(fields.get("until"), now) if state == "open" else None,
    }


def _rate(fields: Mapping[str, str], now: float) -> float | None:
    """Return the calls a second to which 429s have slowed the account, as `rate_limit` of the scripts reckons them."""
    if "rate" not in fields:
        return None
    rate = float(fields["rate"]) + float(fields.get("step", 0)) * max(0.0, now - float(fields.get("at", now)))
    return round(rate, 1) if rate <= _FASTEST else None


def _workers(account: str, capabilities: Sequence[tuple[Any, float]]) -> dict[str, Any]:
    """Return when a worker last said that it knows the account, and for which APIs it has credentials."""
    known = {str(name): at for name, at in capabilities}
    apis = (name.removeprefix("api:").partition(":") for name in known if name.startswith("api:"))
    return {
        "announced_at": _time(known.get(f"account:{account}")),
        "apis": sorted(api for api, _, name in apis if name == account),
    }
