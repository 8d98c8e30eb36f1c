"""What others can read: secrets and scripts in logs, pages, events, results; forged log lines."""

from __future__ import annotations

import contextlib
import re
import time
from typing import Any, Final

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import (
    ATTACKER,
    DEFAULT_HOOK_SECRET,
    HOOK_SECRETS,
    LOGIN,
    SECRET_KEY,
    V2_KEY,
    VICTIM,
    Target,
    a_render,
)
from harness import USER_KEY, call, until
from renderline import contract

_SCRIPT: Final = "Confidential-Merger-Of-Zanzibar-Bank"
_FORGED: Final = "2026-01-01T00:00:00.000000Z [info     ] forged line"
_DISGUISED: Final = re.compile("[\x1b\x9b\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\x85]")


@attack("secrets-shown", "searching everything that others can read for secrets and scripts")
def secrets_shown(target: Target, long: bool) -> Finding:
    _ = target.flower
    hooks = [{"type": "download"}, {"type": "http", "url": target.receiver.url("/markers?token=hidden-in-the-query")}]
    ids = [target.accepted(a_render(_SCRIPT, hooks=hooks), tenant=VICTIM)]
    for tag in ("fail", "500*2", "refuse", "malformed", "drop", "401"):
        ids.append(target.accepted(a_render(f"{_SCRIPT} [sandbox:{tag}]"), tenant=VICTIM))
    target.submit(a_render(_SCRIPT, resolution=_SCRIPT, hooks=[{"type": _SCRIPT}]), tenant=VICTIM)
    bad = {"kind": "project", "scenes": [{"script": _SCRIPT, "avatar": {"model": _SCRIPT * 20}}]}
    for request in (bad, a_render(_SCRIPT)):
        result = target.app.send_task(contract.REQUEST, kwargs={"request": request}, queue="requests")
        with contextlib.suppress(Exception):
            result.get(timeout=20)
    end = time.monotonic() + 12
    for render_id in ids:
        # Some are retried for longer: what they log by then is what counts.
        with contextlib.suppress(AssertionError):
            target.ended(render_id, tenant=VICTIM, seconds=max(0.1, end - time.monotonic()))
    target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)
    tokens = (target.redis.hget(key, "token") for key in target.redis.scan_iter("renderline:token:*", _type="hash"))
    token = next(filter(None, tokens))
    secrets = {
        "script": _SCRIPT,
        "user key": USER_KEY,
        "v2 key": V2_KEY,
        "secret key": SECRET_KEY,
        "hook secret": DEFAULT_HOOK_SECRET,
        "tenant's hook secret": HOOK_SECRETS[VICTIM],
        "API key": target.keys[VICTIM].split("_", 2)[2],
        "Flower's password": LOGIN[1],
        "vendor token": token,
        "query of a hook": "hidden-in-the-query",
    }
    places = _places(target)
    shown = sorted(
        {f"{name} in {place}" for name, one in secrets.items() for place, text in places.items() if one in text}
    )
    figure = f"{len(secrets)} secrets, {len(places)} places: {', '.join(shown[:3]) or 'none shown'}"
    return Finding(not shown, figure)


def _places(target: Target) -> dict[str, str]:
    """Return what others than the tenant can read."""
    places = dict(target.logs())
    url = target.flower.url
    until(lambda: call("GET", f"{url}/api/tasks", auth=LOGIN).json(), what="tasks in Flower")
    tasks = call("GET", f"{url}/api/tasks", auth=LOGIN).json()
    for path in ["/", "/workers", "/tasks", "/api/tasks", "/metrics", *(f"/task/{task}" for task in list(tasks)[:50])]:
        places[f"Flower{path[:12]}"] = (
            places.get(f"Flower{path[:12]}", "") + call("GET", f"{url}{path}", auth=LOGIN).text
        )
    places["metrics"] = call("GET", f"{target.gateway.url}/metrics").text
    places["events"] = str(target.redis.xrevrange("renderline:events", count=1000))
    results = [target.redis.get(key) for key in target.redis.scan_iter("celery-task-meta-*")]
    # The tenant's own answer may quote what it asked for, never a script.
    places["results"] = str(results)
    for words in (
        ("quarantine", "list"),
        ("audit-log",),
        ("dead", "list"),
        ("keys", "list"),
        ("doctor",),
        ("accounts",),
    ):
        done = target.command(*words, "--json")
        places[" ".join(words)] = done.stdout + done.stderr
    places["attacker's list"] = target.ask("GET", "/v1/renders", tenant=ATTACKER).text
    return places


@attack("log-forging", "line breaks, terminal codes and reversed text in everything that is logged")
def log_forging(target: Target, long: bool) -> Finding:
    evil = f"x\n{_FORGED}\r{_FORGED}\x1b[2J\x1b]0;evil\x07\u202egol\u2028{_FORGED}"
    line = evil.replace("\n", " ").replace("\r", " ")
    asked: list[Any] = [
        a_render(name=evil),
        a_render(name=line),
        a_render(metadata={"order": evil}),
        a_render(account=evil),
        a_render(hooks=[{"type": evil}]),
        {"kind": evil},
        a_render(hooks=[{"type": "http", "url": f"http://127.0.0.1:1/{evil}"}]),
        a_render(f"[sandbox:fail] {evil}"),
    ]
    for request in asked:
        target.submit(request, tenant=ATTACKER)
        target.app.send_task(contract.REQUEST, kwargs={"request": request, "key": evil[:200]}, queue="requests")
    target.app.send_task(evil, queue="requests", task_id=evil)
    target.app.send_task(contract.REQUEST, kwargs={"request": {}, evil: 1}, queue="requests")
    target.app.control.broadcast(evil)
    encoded = requests.utils.quote(evil, safe="")
    for path in (
        f"/v1/renders/{encoded}",
        f"/v1/renders?state={encoded}",
        f"/{encoded}",
        f"/v1/accounts/{encoded}/pause",
    ):
        target.ask("GET", path, tenant=ATTACKER)
        target.ask("POST", path, {}, tenant=ATTACKER)
    call(
        "GET",
        f"{target.gateway.url}/healthz",
        headers={"User-Agent": line.encode("latin-1", "replace").replace(b"\x1b", b"\x1b")},
    )
    target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)
    time.sleep(1)
    forged = disguised = 0
    for text in target.logs().values():
        forged += sum(one.startswith(_FORGED) for one in re.split(r"[\n\r]", text))
        disguised += len(_DISGUISED.findall(text))
    return Finding(not forged and not disguised, f"{forged} forged lines, {disguised} hidden characters")
