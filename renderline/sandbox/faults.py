"""The faults of a call, and the control API's rules that choose them."""

import random
from collections.abc import Collection
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from renderline.sandbox.magic import Tag
from renderline.sandbox.responses import (
    BAD_BODY,
    BROKEN,
    NO_CREDITS,
    REFUSED_BY_TAG,
    TOKEN_REVOKED,
    TOO_MANY,
    Refusal,
    Response,
    dumps,
    page,
)

BEFORE = frozenset({"500", "503", "429", "401", "refuse", "credit", "drop-before", "hold-before"})
"""Faults of a call that is not processed (`hold-before`: not until its release)."""

AFTER = frozenset({"500-after", "malformed", "drop", "hang", "hold"})
"""Faults of a call that was processed."""

LATE = "late"
"""The vendor queues the call and processes it later, even if its client has gone."""

STALE_READS = "stale-reads"
"""A read shows the state of some seconds ago."""

KINDS = BEFORE | AFTER | {LATE, STALE_READS}

_STANDARD_SECONDS = {"hang": 60.0, LATE: 30.0, STALE_READS: 5.0}

RETRY_AFTER_SECONDS = 1.0
ANY_CALL = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one call."""

    kind: str
    seconds: float | None = None
    form: str | None = None

    @property
    def before(self) -> bool:
        """Whether the call is left unprocessed."""
        return self.kind in BEFORE

    @property
    def delay(self) -> float:
        """The delay in seconds of the response, the call, or the state that it reads."""
        return _STANDARD_SECONDS[self.kind] if self.seconds is None else self.seconds


def from_tag(tag: Tag) -> Fault:
    """The fault of a tag."""
    value = tag.value
    try:
        return Fault(tag.kind, seconds=float(value)) if value else Fault(tag.kind)
    except ValueError:
        return Fault(tag.kind, form=value)


def refusal(fault: Fault, *, now: float) -> Response | Refusal:
    """The response to an unprocessed call, or the refusal for the vendor's envelope."""
    if fault.kind == "429":
        return Refusal(TOO_MANY, "too many requests", headers=_retry_after(fault, now=now))
    if fault.kind == "401":
        return Refusal(TOKEN_REVOKED, "the token was refused")
    if fault.kind == "credit":
        return Refusal(NO_CREDITS, "not enough credits")
    if fault.kind == "503":
        return service_unavailable(fault.seconds)
    if fault.kind == "refuse":
        shown = fault.form if fault.seconds is None else int(fault.seconds)
        return Refusal(REFUSED_BY_TAG, "the project was refused", shown=shown)
    return Refusal(BROKEN, "internal error")


def service_unavailable(retry_after: float | None) -> Response:
    """The 503 page of a proxy without a backend, with Retry-After in seconds if given."""
    headers = () if retry_after is None else (("Retry-After", f"{retry_after:g}"),)
    return page(503, "Service Temporarily Unavailable", headers=headers)


def _retry_after(fault: Fault, *, now: float) -> tuple[tuple[str, str], ...]:
    seconds = RETRY_AFTER_SECONDS if fault.seconds is None else fault.seconds
    if fault.form == "none":
        return ()
    if fault.form == "date":
        # A date has whole seconds: the next one, so that it never lies in the past.
        return (("Retry-After", formatdate(int(now + seconds) + 1, usegmt=True)),)
    return (("Retry-After", f"{seconds:g}"),)


def garbled(answer: Response, fault: Fault, *, rng: random.Random) -> Response:
    """A body that is not valid JSON: an HTML page, truncated JSON, or nothing."""
    form = fault.form if fault.form in ("html", "json", "empty") else rng.choice(["html", "json", "empty"])
    if form == "html":
        return page(200, "Welcome")
    if form == "json":
        return Response(200, answer.body[: max(1, len(answer.body) - 7)])
    return Response(200)


def broken() -> Response:
    """A 500 in the vendor's envelope."""
    return Response(500, dumps({"success": False, "error": {"code": BROKEN, "msg": "internal error"}}))


@dataclass(slots=True)
class Rule:
    """One rule of the control API: for a share of the calls (`rate`), a number of them (`times`), or all."""

    calls: frozenset[str]
    fault: Fault
    rate: float | None
    times: int | None
    name: str | None
    account: str | None = None
    used: int = 0

    def as_json(self) -> dict[str, Any]:
        """The rule for display."""
        shown = {"call": sorted(self.calls), "fault": self.fault.kind, "rate": self.rate, "times": self.times}
        return {**shown, "name": self.name, "account": self.account, "used": self.used}


class FaultRules:
    """The active rules, oldest first."""

    def __init__(self, rng: random.Random) -> None:
        self.rules: list[Rule] = []
        self._rng = rng

    def add(self, wish: Any, *, known_calls: Collection[str]) -> Rule:
        """Add a rule from JSON; raises Refusal (400) that names the wrong field."""
        if not isinstance(wish, dict):
            raise Refusal(BAD_BODY, "body: must be an object")
        unknown = set(wish) - {"call", "fault", "rate", "times", "seconds", "form", "name", "account"}
        if unknown:
            raise Refusal(BAD_BODY, f"{', '.join(sorted(unknown))}: not known")
        call = wish.get("call", ANY_CALL)
        calls = frozenset(call if isinstance(call, list) else [call])
        for name in calls - {ANY_CALL} - set(known_calls):
            raise Refusal(BAD_BODY, f"call: {name} is not one of {', '.join(sorted(known_calls))}")
        if wish.get("fault") not in KINDS:
            raise Refusal(BAD_BODY, f"fault: must be one of {', '.join(sorted(KINDS))}")
        for name in ("rate", "times", "seconds"):
            if wish.get(name) is not None and (isinstance(wish[name], bool) or not isinstance(wish[name], int | float)):
                raise Refusal(BAD_BODY, f"{name}: must be a number")
        fault = Fault(wish["fault"], wish.get("seconds"), wish.get("form"))
        rule = Rule(calls, fault, wish.get("rate"), wish.get("times"), wish.get("name"), wish.get("account"))
        self.rules.append(rule)
        return rule

    def choose(self, call: str, *, vendor: bool, name: str | None, account: str = "") -> Fault | None:
        """The fault for this call, if a rule matches and its rate draws it; `*` matches every vendor call."""
        for rule in self.rules:
            if call not in rule.calls and not (vendor and ANY_CALL in rule.calls):
                continue
            if rule.fault.kind == STALE_READS and not call.startswith("GET "):
                continue
            if rule.name is not None and rule.name not in (name or ""):
                continue
            if rule.account is not None and rule.account != account:
                continue
            if rule.times is not None and rule.used >= rule.times:
                continue
            if rule.rate is not None and self._rng.random() >= rule.rate:
                continue
            rule.used += 1
            return rule.fault
        return None

    def clear(self) -> None:
        """Delete every rule."""
        self.rules.clear()
