"""What the hooks of a finished render wait for, and which of them were given up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderline.explanation.part import Explanation
from renderline.explanation.wording import clean, coming, counted, epoch, gone, moment
from renderline.ledger.condition import Condition, HookCondition
from renderline.renders import State
from renderline.retry import HookRetryPolicy

_SETTLED = ("delivered", "dead", "skipped")


def explain_hooks(
    record: Mapping[str, Any], condition: Condition, retries: HookRetryPolicy | None, *, now: float
) -> Explanation | None:
    """Explain the unfinished hooks, those that failed first; None if all are finished."""
    left = [index for index, hook in enumerate(record["hooks"]) if hook["state"] not in _SETTLED]
    if not left:
        return None
    if not condition.workers:
        what = _named(record, condition, left[0])
        return Explanation(
            f"{what} waits: no worker is running.",
            "It runs once one does.",
            "Start a worker: celery -A workers.app worker.",
        )
    first = min(left, key=lambda index: (_rank(record["hooks"][index], _of(condition, index)), index))
    found = _explain_hook(record, condition, first, retries, now=now)
    others = len(left) - 1
    if others:
        noun = "another hook is" if others == 1 else f"{others} other hooks are"
        found = found._replace(sentence=f"{found.sentence} {noun[0].upper()}{noun[1:]} not finished either.")
    return found


def explain_dead(record: Mapping[str, Any], condition: Condition, *, now: float) -> Explanation | None:
    """Explain the hooks that were given up; None if there are none."""
    dead = [index for index, hook in enumerate(record["hooks"]) if hook["state"] == "dead"]
    if not dead:
        return None
    hook, at = record["hooks"][dead[0]], epoch(record["hooks"][dead[0]]["at"])
    when = f" at {moment(at, now=now)}" if at is not None else ""
    sentence = f"{_named(record, condition, dead[0])} was dead-lettered{when}{_attempts(hook)}{_why(hook)}."
    if len(dead) > 1:
        sentence += f" So were {len(dead) - 1} more."
    number = f" {dead[0]}" if len(dead) == 1 else ""
    return Explanation(
        sentence, "", f"Correct what it calls; then renderline dead replay {record['id']}{number}, or dead discard."
    )


def _explain_hook(
    record: Mapping[str, Any], condition: Condition, index: int, retries: HookRetryPolicy | None, *, now: float
) -> Explanation:
    hook, waits = record["hooks"][index], _of(condition, index)
    name = _named(record, condition, index)
    if waits.circuit_since is not None:
        return Explanation(
            f"{name} waits: {_host(waits)} has not answered since {gone(waits.circuit_since, now=now)}, circuit open"
            f"{_why(hook)}.",
            f"One call at a time probes that host.{_given_up(record, waits, retries, now=now)}",
        )
    if not waits.known:
        return Explanation(
            f"{name} waits: no running worker has hooks of type {clean(hook['type'], most=64)}.",
            "It runs once one has; after a day it is dead-lettered.",
            "Start a worker in which that type is installed.",
        )
    if hook["state"] == "retrying":
        owed = _owed(record, waits)
        since = f" since {gone(owed, now=now)}" if owed is not None else ""
        again = f"Next attempt at {coming(waits.until, now=now)}." if waits.until else "It is tried again by itself."
        return Explanation(
            f"{name} has failed{since}{_attempts(hook)}{_why(hook)}.",
            f"{again}{_given_up(record, waits, retries, now=now)}",
        )
    if hook["error"] and waits.until is not None and waits.until > now:
        return Explanation(
            f"{name} waits: {clean(hook['error'])}.", f"It is tried again at {coming(waits.until, now=now)}."
        )
    if waits.until is not None and waits.until > now:
        return Explanation(
            f"{name} is running.", f"If its worker dies, another one takes it after {moment(waits.until, now=now)}."
        )
    if waits.host == "*":
        return Explanation(f"{name} waits for its turn.", "It runs when a thread for hooks is free.")
    if waits.host:
        return Explanation(f"{name} waits for {_host(waits)}.", "It runs when another call there ends.")
    earlier = next((one for one in range(index) if _awaited(record["hooks"][one])), None)
    if earlier is not None and hook["type"] != "download":
        return Explanation(f"{name} waits for {_named(record, condition, earlier)}, whose outcome it reports.", "")
    return Explanation(f"{name} is about to run.", "")


def _rank(hook: Mapping[str, Any], waits: HookCondition) -> int:
    """Return the place of a hook in the order of urgency: failing or blocked ones come first, then running ones."""
    if hook["state"] == "retrying" or waits.circuit_since is not None or not waits.known:
        return 0
    return 1 if waits.until is not None or waits.host else 2


def _of(condition: Condition, index: int) -> HookCondition:
    return condition.hooks[index] if index < len(condition.hooks) else HookCondition()


def _named(record: Mapping[str, Any], condition: Condition, index: int) -> str:
    hook = record["hooks"][index]
    about = clean(hook["type"], most=64)
    where = hook.get("endpoint") or _of(condition, index).calls
    return f"Hook {index} ({about}{f' {clean(where, most=100)}' if where else ''})"


def _host(waits: HookCondition) -> str:
    # That of another tenant than the default one has the tenant in front.
    return clean(waits.host.rpartition("/")[2], most=100)


def _attempts(hook: Mapping[str, Any]) -> str:
    count = hook["attempts"]
    return f", {count} attempt{'s' if count != 1 else ''}" if count else ""


def _why(hook: Mapping[str, Any]) -> str:
    return f": {clean(hook['error'])}" if hook["error"] else ""


def _awaited(hook: Mapping[str, Any]) -> bool:
    return hook["type"] == "download" and hook["state"] not in _SETTLED


def _owed(record: Mapping[str, Any], waits: HookCondition) -> float | None:
    """Return since when a hook is to be delivered: since it was replayed, or the render ended."""
    return waits.since if waits.since is not None else epoch(record["times"].get(_ended(record)))


def _ended(record: Mapping[str, Any]) -> str:
    state = record["state"]
    return State.COMPLETED if state in (State.DELIVERED, State.UNDELIVERED) else state


def _given_up(record: Mapping[str, Any], waits: HookCondition, retries: HookRetryPolicy | None, *, now: float) -> str:
    owed = _owed(record, waits)
    if retries is None or owed is None:
        return ""
    retries = retries.of_hook(waits.asked)
    most = f", or after {counted(retries.attempts, 'attempt')}" if retries.attempts is not None else ""
    return f" It is given up at {moment(owed + retries.retry_for, now=now)}{most}."
