"""Flower: guessing its login, its pages without one, and its API for tasks."""

from __future__ import annotations

import base64
import contextlib
import http.client
from typing import Final
from urllib.parse import quote

import requests

from benchmarks.attack.attack import Finding, attack
from benchmarks.attack.target import LOGIN, VICTIM, Target, a_render
from harness import call, until

_ELSEWHERE: Final = "127.0.0.9"
"""Another address of loopback, from which the attacker comes: one that guesses may be locked out."""


@attack("flower-login", "guessing Flower's password")
def flower_login(target: Target, long: bool) -> Finding:
    guesses = 1000 if long else 100
    url = target.flower.url
    statuses = [_login_from(_ELSEWHERE, target.flower.port, f"guess-{number}") for number in range(guesses)]
    slowed = statuses.count(429)
    checked = guesses - slowed
    figure = f"{guesses} guesses: {checked} were checked, {slowed} answered 429"
    own = call("GET", f"{url}/tasks", auth=LOGIN).ok
    figure += f"; the operator's own login {'works' if own else 'is refused'}"
    return Finding(slowed > 0 and checked <= 20 and own and 200 not in statuses, figure)


def _login_from(address: str, port: int, password: str) -> int:
    """Return the status that answers a login from this address of the machine."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    login = base64.b64encode(f"{LOGIN[0]}:{password}".encode()).decode()
    with contextlib.closing(connection):
        connection.request("GET", "/tasks", headers={"Authorization": f"Basic {login}"})
        with connection.getresponse() as answer:
            return answer.status


@attack("flower-pages", "Flower's pages, metrics and API without a login")
def flower_pages(target: Target, long: bool) -> Finding:
    url = target.flower.url
    paths = (
        "/",
        "/workers",
        "/tasks",
        "/metrics",
        "/api/tasks",
        "/api/workers",
        "/api/queues/length",
        "/renders",
        "/renders/x",
    )
    opened = [path for path in paths if call("GET", f"{url}{path}", allow_redirects=False).status_code == 200]
    return Finding(not opened, f"{len(opened)} of {len(paths)} open" + (f": {', '.join(opened)}" if opened else ""))


@attack("flower-tasks", "starting and revoking tasks and ending workers through Flower, with its login")
def flower_tasks(target: Target, long: bool) -> Finding:
    url = target.flower.url
    worker = until(lambda: _workers(url), what="a worker in Flower")[0]
    calls = [f"/api/task/{how}/renderline.request" for how in ("apply", "async-apply", "send-task")] + [
        "/api/task/revoke/attack?terminate=true",
        f"/api/worker/shutdown/{worker}",
        f"/api/worker/pool/shrink/{worker}",
    ]
    statuses = [
        call("POST", f"{url}{path}", auth=LOGIN, json={"kwargs": {"request": a_render()}}, timeout=10).status_code
        for path in calls
    ]
    done = sum(status < 400 for status in statuses)
    alive = all(one.running for one in target.workers)
    target.ended(target.accepted(a_render(), tenant=VICTIM), tenant=VICTIM)
    return Finding(done == 0 and alive, f"{done} of {len(calls)} calls done, workers {'live' if alive else 'ended'}")


@attack("flower-markup", "markup in a render's name and metadata, and in searches, on Flower's pages")
def flower_markup(target: Target, long: bool) -> Finding:
    markup = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    render = target.accepted(a_render(name=markup, metadata={"a": markup}), tenant=VICTIM)
    target.ended(render, tenant=VICTIM)
    paths = ("/renders", f"/renders/{render}", f"/renders?q={quote(markup)}", f"/renders/{quote(markup, safe='')}")
    answers = [call("GET", f"{target.flower.url}{path}", auth=LOGIN) for path in paths]
    shown = sum(markup in answer.text for answer in answers)
    strict = all("default-src 'none'" in answer.headers.get("Content-Security-Policy", "") for answer in answers)
    escaped = "&lt;script&gt;alert(1)" in answers[1].text
    figure = f"{shown} of {len(paths)} pages hold markup; the policy {'refuses' if strict else 'allows'} scripts"
    return Finding(shown == 0 and strict and escaped, figure)


def _workers(url: str) -> list[str]:
    try:
        return list(call("GET", f"{url}/workers?json=1", auth=LOGIN).json()["data"]) and [
            str(one["hostname"]) for one in call("GET", f"{url}/workers?json=1", auth=LOGIN).json()["data"]
        ]
    except (requests.RequestException, ValueError, KeyError):
        return []
